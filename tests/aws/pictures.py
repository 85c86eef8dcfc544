"""Generated images for the tests of limits."""

import io
import random
import struct
import zlib

from PIL import Image


def noise_png(side: int, seed: int = 0) -> bytes:
    """A grey PNG of random pixels. It does not compress, so that its size is close to side * side bytes."""
    pixels = random.Random(seed).randbytes(side * side)
    buffer = io.BytesIO()
    Image.frombytes("L", (side, side), pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def repeated_png(side: int) -> bytes:
    """A grey PNG whose rows repeat random pixels: only a search for repetitions compresses it."""
    generator = random.Random(side)
    rows = [(generator.randbytes(256) * (side // 256 + 1))[:side] for _ in range(side)]
    buffer = io.BytesIO()
    Image.frombytes("L", (side, side), b"".join(rows)).save(buffer, "PNG")
    return buffer.getvalue()


def declared_png(width: int, height: int) -> bytes:
    """A few bytes whose header declares a grey PNG of any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1024)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
