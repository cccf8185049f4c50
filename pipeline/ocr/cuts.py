"""Page and line images: formats, rotation and cropping."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.models import Rotation

Image = NDArray[np.uint8]
"""Page or line image of shape (height, width, 3), BGR."""
Quads = NDArray[np.float32]
"""Boxes of shape (n, 4, 2): corners clockwise from the top left, in pixels."""

REACH = 2
"""Pixels beyond a box that are kept, so that its edge is interpolated with what is there."""
MAX_WARP = 16_000
"""OpenCV can't warp an image with a side of 32,767 pixels or more."""


def turn(image: Image, rotation: Rotation) -> Image:
    """Rotate clockwise by `rotation` degrees."""
    return np.ascontiguousarray(np.rot90(image, -(rotation // 90)))


def cut_line(image: Image, quad: Quads, *, turned: bool) -> Image:
    """Crop a line and straighten it; `turned`: it runs downwards, so rotate it counter-clockwise."""
    part, corners = _around(image, quad)
    width = max(1, int(max(np.linalg.norm(corners[0] - corners[1]), np.linalg.norm(corners[3] - corners[2]))))
    height = max(
        1, int(max(np.linalg.norm(corners[0] - corners[3]), np.linalg.norm(corners[1] - corners[2])))
    )
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    # cubic interpolation reads no better, and takes more than twice as long
    crop = cv2.warpPerspective(
        part, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return cast(Image, np.ascontiguousarray(np.rot90(crop)) if turned else crop)


def _around(image: Image, quad: Quads) -> tuple[Image, Quads]:
    """The part of the image around a box, and the box in it; scaled down if too large for OpenCV's warp."""
    left, top = np.maximum(np.floor(quad.min(axis=0)).astype(int) - REACH, 0)
    right, bottom = np.ceil(quad.max(axis=0)).astype(int) + REACH
    part = image[top:bottom, left:right]
    corners = (quad - (left, top)).astype(np.float32)
    scale = MAX_WARP / max(part.shape[:2])
    if scale >= 1:
        return part, corners
    smaller = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cast(Image, smaller), corners * np.float32(scale)
