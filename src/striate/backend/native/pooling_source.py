"""LLVM code for maximum pooling over 2×2 windows with ReLU behind it, and for its gradient.

It is written with vectors as wide as the channels allow, so no optimiser has to find them; LLVM splits them into what
the processor has. Channels lie side by side in memory (channels-last), and windows do not overlap: each row of windows
reads or writes two rows of the map and nothing else, so rows are shared among threads without any order.

The numbers are those of torch to the last bit:

- a later number replaces the largest so far where it is larger or NaN, and nothing replaces NaN but another NaN;
- of −0 and +0 the first is kept, for neither is larger, and ReLU leaves both as they are;
- ReLU passes a gradient where its output is larger than 0 or NaN;
- torch adds gradients to zeros, so a gradient of −0 becomes +0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from string import Template

__all__ = ["BACKWARD", "FORWARD", "NO_PLACE", "pooling_source"]

#: Names of the functions. Both take the address of six 64-bit numbers (addresses of map, pooled map and places; height,
#: width and channels of the map), and the first row of windows to compute and the one behind the last, counted over
#: all images.
FORWARD, BACKWARD = "pool_forward", "pool_backward"
#: Written as the place of the largest number where it is not positive.
NO_PLACE = 4

# A bfloat16 number is the upper half of a float32 one.
_FLOAT_OF = {
    32: "  %f$i = bitcast <$n x i32> %x$i to <$n x float>\n",
    16: """\
  %w$i = zext <$n x i16> %x$i to <$n x i32>
  %s$i = shl <$n x i32> %w$i, $sixteen
  %f$i = bitcast <$n x i32> %s$i to <$n x float>
""",
}
_LOADED = "  %x$i = load <$n x i$bits>, ptr %in$i, align $bytes\n"
_LARGER = """\
  %larger$i = fcmp ogt <$n x float> %f$i, $best
  %nan$i = fcmp uno <$n x float> %f$i, %f$i
  %takes$i = or <$n x i1> %larger$i, %nan$i
  %best$i = select <$n x i1> %takes$i, <$n x float> %f$i, <$n x float> $best
  %place$i = select <$n x i1> %takes$i, <$n x i32> $number, <$n x i32> $place
"""
_RECTIFIED = """\
  %negative = fcmp olt <$n x float> %best3, zeroinitializer
  %value = select <$n x i1> %negative, <$n x float> zeroinitializer, <$n x float> %best3
  %passes = fcmp ugt <$n x float> %best3, zeroinitializer
  %place = select <$n x i1> %passes, <$n x i32> %place3, <$n x i32> $none
  %byte = trunc <$n x i32> %place to <$n x i8>
  store <$n x i8> %byte, ptr %placed, align 1
"""
_STORED = {
    32: """\
  store <$n x float> %value, ptr %out, align 4
""",
    16: """\
  %whole = bitcast <$n x float> %value to <$n x i32>
  %upper = lshr <$n x i32> %whole, $sixteen
  %half = trunc <$n x i32> %upper to <$n x i16>
  store <$n x i16> %half, ptr %out, align 2
""",
}
_GRADIENT = """\
  %given = load <$n x i$bits>, ptr %out, align $bytes
  %minus = icmp eq <$n x i$bits> %given, $minus_zero
  %added = select <$n x i1> %minus, <$n x i$bits> zeroinitializer, <$n x i$bits> %given
  %byte = load <$n x i8>, ptr %placed, align 1
"""
_SPREAD = """\
  %here$i = icmp eq <$n x i8> %byte, $number
  %share$i = select <$n x i1> %here$i, <$n x i$bits> %added, <$n x i$bits> zeroinitializer
  store <$n x i$bits> %share$i, ptr %in$i, align $bytes
"""
# As many channels at a time as the block takes; what is left is for the next, narrower loop.
_LOOP = """\
loop$n:
  %c$n = phi i64 [ $first, %$before ], [ %c${n}next, %body$n ]
  %c${n}next = add i64 %c$n, $n
  %fits$n = icmp sle i64 %c${n}next, %channels
  br i1 %fits$n, label %body$n, label %$behind
body$n:
  call void @${name}_$n(ptr %in0, ptr %in1, ptr %in2, ptr %in3, ptr %out, ptr %placed, i64 %c$n)
  br label %loop$n
"""
_BLOCK = """\
define internal void @${name}_$n(ptr %a, ptr %b, ptr %c, ptr %d, ptr %pooled, ptr %places, i64 %channel) alwaysinline {
  %in0 = getelementptr i$bits, ptr %a, i64 %channel
  %in1 = getelementptr i$bits, ptr %b, i64 %channel
  %in2 = getelementptr i$bits, ptr %c, i64 %channel
  %in3 = getelementptr i$bits, ptr %d, i64 %channel
  %out = getelementptr i$bits, ptr %pooled, i64 %channel
  %placed = getelementptr i8, ptr %places, i64 %channel
$body  ret void
}
"""
_ROWS = """\
define void @$name(ptr %numbers, i64 %first, i64 %last) {
entry:
  %map = load ptr, ptr %numbers
  %at1 = getelementptr i64, ptr %numbers, i64 1
  %pooled = load ptr, ptr %at1
  %at2 = getelementptr i64, ptr %numbers, i64 2
  %places = load ptr, ptr %at2
  %at3 = getelementptr i64, ptr %numbers, i64 3
  %height = load i64, ptr %at3
  %at4 = getelementptr i64, ptr %numbers, i64 4
  %width = load i64, ptr %at4
  %at5 = getelementptr i64, ptr %numbers, i64 5
  %channels = load i64, ptr %at5
  %rows = lshr i64 %height, 1
  %columns = lshr i64 %width, 1
  %line = mul i64 %width, %channels
  %windows = mul i64 %columns, %channels
  br label %each_row
each_row:
  %row = phi i64 [ %first, %entry ], [ %row_next, %row_done ]
  %some_row = icmp slt i64 %row, %last
  br i1 %some_row, label %begin_row, label %end
begin_row:
  %image = udiv i64 %row, %rows
  %images_rows = mul i64 %image, %rows
  %in_image = sub i64 %row, %images_rows
  %lines_before = mul i64 %image, %height
  %lines_within = shl i64 %in_image, 1
  %lines = add i64 %lines_before, %lines_within
  %offset = mul i64 %lines, %line
  %upper = getelementptr i$bits, ptr %map, i64 %offset
  %lower = getelementptr i$bits, ptr %upper, i64 %line
  %pooled_offset = mul i64 %row, %windows
  %pooled_row = getelementptr i$bits, ptr %pooled, i64 %pooled_offset
  %places_row = getelementptr i8, ptr %places, i64 %pooled_offset
  br label %each_column
each_column:
  %column = phi i64 [ 0, %begin_row ], [ %column_next, %column_done ]
  %some_column = icmp slt i64 %column, %columns
  br i1 %some_column, label %window, label %row_done
window:
  %pooled_at = mul i64 %column, %channels
  %map_at = shl i64 %pooled_at, 1
  %in0 = getelementptr i$bits, ptr %upper, i64 %map_at
  %in1 = getelementptr i$bits, ptr %in0, i64 %channels
  %in2 = getelementptr i$bits, ptr %lower, i64 %map_at
  %in3 = getelementptr i$bits, ptr %in2, i64 %channels
  %out = getelementptr i$bits, ptr %pooled_row, i64 %pooled_at
  %placed = getelementptr i8, ptr %places_row, i64 %pooled_at
  br label %loop$widest
${loops}column_done:
  %column_next = add i64 %column, 1
  br label %each_column
row_done:
  %row_next = add i64 %row, 1
  br label %each_row
end:
  ret void
}
"""


def pooling_source(bits: int) -> str:
    """The code for numbers of so many bits: 16 for bfloat16, 32 for float32.

    >>> "define void @pool_forward(ptr %numbers, i64 %first, i64 %last)" in pooling_source(16)
    True
    """
    # A vector register of 64 bytes, what many networks have as their fewest channels, and what is left.
    widths = (512 // bits, 128 // bits, 1)
    return "\n".join(
        part
        for name, body in ((FORWARD, _forward), (BACKWARD, _backward))
        for part in _function(name, bits, widths, body)
    )


def _function(name: str, bits: int, widths: tuple[int, ...], body: Callable[[int, int], str]) -> Iterator[str]:
    loops = ""
    for before, n, behind in zip((None, *widths), widths, (*widths[1:], None), strict=False):
        yield _filled(_BLOCK, name=name, n=n, bits=bits, body=body(bits, n))
        loops += _filled(
            _LOOP,
            name=name,
            n=n,
            first="0" if before is None else f"%c{before}",
            before="window" if before is None else f"loop{before}",
            behind="column_done" if behind is None else f"loop{behind}",
        )
    yield _filled(_ROWS, name=name, bits=bits, widest=widths[0], loops=loops)


def _forward(bits: int, n: int) -> str:
    """Pool and rectify so many channels of one window."""
    common = {"bits": bits, "bytes": bits // 8, "n": n, "sixteen": _all("i32", 16, n)}
    body, best, place = "", "%f0", "zeroinitializer"
    for i in range(4):
        body += _filled(_LOADED + _FLOAT_OF[bits], i=i, **common)
        if i > 0:
            body += _filled(_LARGER, i=i, best=best, place=place, number=_all("i32", i, n), **common)
            best, place = f"%best{i}", f"%place{i}"
    return body + _filled(_RECTIFIED + _STORED[bits], none=_all("i32", NO_PLACE, n), **common)


def _backward(bits: int, n: int) -> str:
    """Give so many channels of one window their gradient."""
    common = {"bits": bits, "bytes": bits // 8, "n": n}
    body = _filled(_GRADIENT, minus_zero=_all(f"i{bits}", -(1 << (bits - 1)), n), **common)
    return body + "".join(_filled(_SPREAD, i=i, number=_all("i8", i, n), **common) for i in range(4))


def _all(kind: str, value: int, n: int) -> str:
    return f"<{', '.join([f'{kind} {value}'] * n)}>"


def _filled(template: str, **values: object) -> str:
    return Template(template).substitute(values)
