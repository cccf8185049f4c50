"""Changes that leave the structure of a file intact, so that they pass the first checks of its parser."""

import io
import json
import random
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

from tests.fuzz.mutation import Mutator

_OBJECT = re.compile(rb"(\d+ \d+ obj\b)(.*?)(endobj)", re.DOTALL)
_STREAM = re.compile(rb"(.*?)stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_WORD = re.compile(rb"/[A-Za-z0-9]+|\d+ \d+ R|-?\d*\.?\d+|\[|\]|<<|>>|\((?:[^()\\]|\\.)*\)")
_OPERATORS = (
    b"q", b"Q", b"cm", b"re", b"f", b"f*", b"S", b"W n", b"m", b"l", b"c", b"h", b"BT", b"ET", b"Tf",
    b"Td", b"Tm", b"Tj", b"TJ", b"Tr", b"Ts", b"Tw", b"Tc", b"Tz", b"TL", b"T*", b"'", b"Do", b"gs", b"cs",
    b"scn", b"rg", b"g", b"k", b"w", b"d", b"sh", b"BI", b"ID", b"EI", b"BMC", b"BDC", b"EMC", b"MP", b"i",
    b"j", b"J", b"M", b"d0", b"d1",
)  # fmt: skip
_CHUNK_NAMES = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"iCCP", b"pHYs", b"tEXt", b"zTXt", b"iTXt",
                b"acTL", b"fcTL", b"fdAT", b"eXIf", b"sBIT", b"bKGD")  # fmt: skip
_TAG = re.compile(rb"<[^<>]{1,200}>")


def change(mutator: Mutator, data: bytes) -> bytes:
    """One change that suits the kind of file; one of bytes where the kind has no structure known here."""
    rng = mutator.rng
    way: Callable[[Mutator, bytes], bytes] | None = None
    if data.startswith(b"%PDF"):
        way = pdf
    elif data.startswith(b"PK\x03\x04"):
        way = archive
    elif data.startswith(b"\x89PNG"):
        way = png
    elif data.lstrip()[:1] == b"<":
        way = markup
    elif data.lstrip()[:1] in (b"{", b"["):
        way = json_text
    if way is None or rng.random() < 0.25:
        return mutator.change(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = way(mutator, data)
    return data


def pdf(mutator: Mutator, data: bytes) -> bytes:
    """Change one object of a PDF; PDFium rebuilds the table of objects."""
    rng = mutator.rng
    found = list(_OBJECT.finditer(data))
    if not found:
        return mutator.change(data)
    one = rng.choice(found)
    body = one[2]
    match rng.randrange(6):
        case 0:  # the body of another object, so that references lead to the wrong kind or in circles
            body = rng.choice(found)[2]
        case 1 | 2:
            body = _pdf_stream(mutator, body)
        case 3:
            body = _pdf_word(mutator, body, data)
        case 4:
            body = _pdf_word(mutator, _pdf_word(mutator, body, data), data)
        case _:  # one more object
            number = rng.randint(1, 60)
            return data[: one.start()] + b"%d 0 obj" % number + body + b"endobj\n" + data[one.start() :]
    return data[: one.start(2)] + body + data[one.end(2) :]


def _pdf_word(mutator: Mutator, body: bytes, data: bytes) -> bytes:
    """Another word in place of one: a name, a number, a reference, a bracket."""
    head = body.partition(b"stream")[0]
    words = list(_WORD.finditer(head))
    if not words:
        return mutator.change(body)
    word = mutator.rng.choice(words)
    others = _WORD.findall(data[:20000])
    match mutator.rng.randrange(5):
        case 0:
            new = str(mutator.number()).encode()
        case 1:
            new = b"%d 0 R" % mutator.rng.randint(0, 30)
        case 2:
            new = mutator.rng.choice(mutator.tokens)
        case 3:
            new = b""
        case _:
            new = mutator.rng.choice(others)
    return body[: word.start()] + b" " + new + b" " + body[word.end() :]


def _pdf_stream(mutator: Mutator, body: bytes) -> bytes:
    """Change what a stream holds, unpacked if it is packed; or write a new page of operators."""
    match = _STREAM.fullmatch(body.strip())
    if match is None:
        return mutator.change(body)
    head, inner = match[1], match[2]
    if mutator.rng.random() < 0.3:
        inner, packed = operators(mutator), False
        head = b"<</Length 1>>"
    else:
        try:
            inner, packed = zlib.decompressobj().decompress(inner, 1 << 20), True
        except zlib.error:
            packed = False
        inner = mutator.change(inner)
    if packed:
        inner = zlib.compress(inner, 1)
    head = re.sub(rb"/Length \d+(?: 0 R)?", b"/Length %d" % len(inner), head)
    return b"\n" + head + b"stream\n" + inner + b"\nendstream\n"


def operators(mutator: Mutator) -> bytes:
    """A page's content: operators in any order, with operands of any size."""
    rng, out = mutator.rng, []
    for _ in range(rng.choice((3, 20, 200))):
        operands = [_operand(mutator) for _ in range(rng.choice((0, 1, 2, 4, 6)))]
        out.append(b" ".join([*operands, rng.choice(_OPERATORS)]))
    return b"\n".join(out)


def _operand(mutator: Mutator) -> bytes:
    rng = mutator.rng
    match rng.randrange(7):
        case 0:
            return str(mutator.number()).encode()
        case 1:
            return f"{rng.uniform(-500, 500):.3f}".encode()
        case 2:
            return rng.choice((b"/F1", b"/Im1", b"/P1", b"/Pattern", b"/GS1", b"/Artifact", b"/DeviceRGB"))
        case 3:
            return (
                b"(" + bytes(rng.choice(b"ABCabc 0129.,-\x80\xff") for _ in range(rng.randint(0, 30))) + b")"
            )
        case 4:
            return b"[(A) %d (B) %d]" % (mutator.number(), mutator.number())
        case 5:
            return b"<" + bytes(rng.choice(b"0123456789abcdef") for _ in range(rng.randint(0, 12))) + b">"
    return rng.choice((b"0", b"1", b"1e-9", b"12", b"0.0001", b"-1"))


def archive(mutator: Mutator, data: bytes) -> bytes:
    """Change one member of a zip archive, its name, or how often it is there."""
    rng = mutator.rng
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            files = [(info.filename, package.read(info)) for info in package.infolist()[:50]]
    except Exception:  # changed before, and no archive any more
        return mutator.change(data)
    if not files:
        return mutator.change(data)
    at = rng.randrange(len(files))
    name, inner = files[at]
    match rng.randrange(6):
        case 0:
            files.append((name, mutator.change(inner)))
        case 1:
            del files[at]
        case 2:
            files[at] = (
                mutator.change(name.encode()).decode("utf-8", "replace").replace("\0", "")[:500] or "x",
                inner,
            )
        case _:
            files[at] = (name, change(mutator, inner))
    out = io.BytesIO()
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package,
    ):
        warnings.simplefilter("ignore")  # of a name that is there twice
        for name, inner in files:
            package.writestr(name, inner)
    return out.getvalue()


def png(mutator: Mutator, data: bytes) -> bytes:
    """Change one chunk of a PNG, with the right check sum; the picture's data unpacked."""
    rng, chunks, at = mutator.rng, [], 8
    while at + 12 <= len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    if not chunks:
        return mutator.change(data)
    index = rng.randrange(len(chunks))
    name, body = chunks[index]
    match rng.randrange(5):
        case 0:
            chunks.insert(index, chunks[rng.randrange(len(chunks))])
        case 1:
            del chunks[index]
        case 2:
            chunks[index] = (rng.choice(_CHUNK_NAMES), body)
        case _ if name == b"IDAT":
            try:
                raw = zlib.decompressobj().decompress(body, 1 << 22)
                chunks[index] = (name, zlib.compress(mutator.change(raw), 1))
            except zlib.error:
                chunks[index] = (name, mutator.change(body))
        case _:
            chunks[index] = (name, mutator.change(body))
    out = data[:8]
    for name, body in chunks:
        out += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return out


def markup(mutator: Mutator, data: bytes) -> bytes:
    """Change XML or HTML between its tags: repeat, nest, drop or move an element, change an attribute."""
    rng = mutator.rng
    tags = list(_TAG.finditer(data[:200000]))
    if not tags:
        return mutator.change(data)
    one, other = sorted((rng.choice(tags), rng.choice(tags)), key=lambda m: m.start())
    piece = data[one.start() : other.end()]
    match rng.randrange(6):
        case 0:
            return data[: one.start()] + piece * rng.choice((2, 3, 50)) + data[other.end() :]
        case 1:
            return data[: one.start()] + data[other.end() :]
        case 2:
            return data[: one.start()] + one[0] * rng.choice((2, 100, 3000)) + data[one.end() :]
        case 3:
            return data[: one.start()] + mutator.change(one[0]) + data[one.end() :]
        case 4:
            text = mutator.change(data[one.end() : one.end() + 40])
            return data[: one.end()] + text + data[one.end() + 40 :]
    return data[: one.start()] + other[0] + data[one.end() :]


def json_text(mutator: Mutator, data: bytes) -> bytes:
    """Change one value of a JSON text, or repeat, drop, rename or nest one."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return mutator.change(data)
    return json.dumps(_json(mutator, value), ensure_ascii=mutator.rng.random() < 0.5).encode(
        "utf-8", "surrogatepass"
    )


def _json(mutator: Mutator, value: Any) -> Any:
    rng = mutator.rng
    if isinstance(value, dict) and value and rng.random() < 0.85:
        key = rng.choice(list(value))
        out = dict(value)
        match rng.randrange(10):
            case 0:
                del out[key]
            case 1:
                out[_text(mutator, str(key))] = out.pop(key)
            case 2:
                out[key] = out[rng.choice(list(out))]
            case _:
                out[key] = _json(mutator, value[key])
        return out
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], _json(mutator, value[at]), *value[at + rng.randrange(2) :]]
    return _scalar(mutator, value)


def _scalar(mutator: Mutator, value: Any) -> Any:
    rng: random.Random = mutator.rng
    match rng.randrange(8):
        case 0:
            return None
        case 1:
            return mutator.number()
        case 2:
            return rng.choice((True, False, 0.5, -0.0, 1e308, 5e-324, [], {}, "", [[[[]]]], {"": {"": {}}}))
        case 3:
            return [value]
        case 4:
            return rng.choice(mutator.tokens).decode("utf-8", "replace")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return mutator.number()
    return _text(mutator, value if isinstance(value, str) else repr(value))


def _text(mutator: Mutator, text: str) -> str:
    rng = mutator.rng
    match rng.randrange(6):
        case 0:
            return text + rng.choice("\0\n\r\x1b\x7f\x85\u2028\u202e\ud800\ufeff\U0001f600\U000e0001")
        case 1:
            return text * rng.choice((2, 50, 1000))
        case 2:
            return text[: rng.randrange(len(text) + 1)]
    return mutator.change(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
