"""How a tape lies in memory: one row of int32 an instruction, operands by base and offset.

An operand is ``bases[base] + 4 * (offset + sum(index * stride))``: constants and room for
intermediate values have the first base, a channel's input, output and states their own.
"""

from __future__ import annotations

from enum import IntEnum

WIDTH = 40  # int32 of an instruction
DIMENSIONS = 4
(CODE, KIND, LENGTH, EXTRA, Y, Y_AT, A, A_AT, B, B_AT, C, C_AT, SIZES) = range(13)
Y_STEPS, A_STEPS, B_STEPS, C_STEPS = 16, 20, 24, 28
PARAMETERS = 32  # eight of them
NONE = -1  # base of an operand that is not there

# bases; the last is none: it is 1 once an index that a graph computed was outside of its axis
MEMORY, X, CONTROLS, OUT, STATE_IN, STATE_OUT, FAULT, N_BASES = range(8)


class Code(IntEnum):
    """What an instruction does."""

    MAP = 0  # element by element
    REDUCE = 1
    MATMUL = 2
    GATHER = 3  # along one axis
    PICK = 4  # by offsets of a table
    GATHER_ND = 5
    ELEMENTS = 6
    TOP = 7
    SUM_UP = 8  # running sum
    NORM = 9
    GRU = 10
    LSTM = 11


class Map(IntEnum):
    """Functions of one, two or three elements."""

    COPY = 0
    NEGATE = 1
    ABS = 2
    SQRT = 3
    EXP = 4
    LOG = 5
    SIN = 6
    COS = 7
    TANH = 8
    SIGMOID = 9
    RELU = 10
    FLOOR = 11
    CEIL = 12
    ROUND = 13
    TRUNCATE = 14
    RECIPROCAL = 15
    NOT = 16
    TRUTH = 17
    SIGN = 18
    SQUARE = 19
    ADD = 20
    SUBTRACT = 21
    MULTIPLY = 22
    DIVIDE = 23
    POWER = 24
    MAXIMUM = 25
    MINIMUM = 26
    LESS = 27
    LESS_EQUAL = 28
    GREATER = 29
    GREATER_EQUAL = 30
    EQUAL = 31
    AND = 32
    OR = 33
    SLOPE = 34
    REMAINDER = 35
    WHERE = 36


class Reduce(IntEnum):
    """What becomes of the elements of an axis."""

    SUM = 0
    MEAN = 1
    MAXIMUM = 2
    MINIMUM = 3
    FIRST_LARGEST = 4
