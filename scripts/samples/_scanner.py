"""Simulate a scanner, and encode JPEG."""

from __future__ import annotations

import io

import numpy as np
from _paper import WHITE, Colour
from PIL import Image, ImageChops, ImageFilter


def scan(
    image: Image.Image,
    seed: int,
    *,
    skew: float = 0.4,
    noise: float = 2.5,
    tint: Colour = (252, 250, 243),
    soft: float = 0.4,
) -> Image.Image:
    """Return a page as scanned by a flatbed: rotated by `skew` degrees, tinted, shaded, soft, noisy.

    `noise` is the standard deviation in grey levels (0-255), `soft` the blur radius in pixels.
    """
    rng = np.random.default_rng(seed)
    turned = image.rotate(skew, Image.Resampling.BICUBIC, fillcolor=WHITE)
    turned = ImageChops.multiply(turned, Image.new("RGB", image.size, tint))
    pixels = np.asarray(turned.filter(ImageFilter.GaussianBlur(soft)), dtype=np.float32)
    shade = np.linspace(1.0, 0.965, image.width, dtype=np.float32)[None, :, None]
    grain = rng.normal(0.0, noise, (image.height, image.width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(pixels * shade + grain + 2, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int = 72, dpi: int = 150, exif: Image.Exif | None = None) -> bytes:
    """Encode as baseline JPEG."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, dpi=(dpi, dpi), exif=exif or Image.Exif())
    return out.getvalue()
