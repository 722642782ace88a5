"""Commands flattened into wire steps: the only module that knows layout. Every emitter walks these.

Request: u32 opcode, u32 length of the whole packet, then `request` in order; then the checksum tail
when
negotiated, then
`trailing` zero bytes. Reply: `reply` in order, then the checksum. Nothing is padded or aligned. A
step
that Vulkan needs (presence
word, counted loop, chain, handle) is one more class here and one more branch in each emitter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, List, Optional, Tuple, Union

from . import ir

HEADER_SIZE = 8  # u32 opcode, u32 length
LENGTH_SIZE = 4  # the u32 before bytes, and in place of outputs
ADDRESS_SIZE = 8  # a DMA address
DMA_TRAILING = 4  # the declared length of a DMA command counts a length word that is never there


@dataclass(frozen=True)
class Scalar:
    """put/get: the parameter itself."""

    param: ir.Param
    prim: ir.Prim


@dataclass(frozen=True)
class Bytes:
    """put/get: u32 length, then that many bytes of an input parameter; gather: put from pieces."""

    param: ir.Param


@dataclass(frozen=True)
class OutLength:
    """put/get: u32 length of the reply part that an output parameter asks for."""

    param: ir.Param


@dataclass(frozen=True)
class Address:
    """put/get: the 8-byte address of a DMA parameter."""

    param: ir.Param


Step = Union[Scalar, Bytes, OutLength, Address]


@dataclass(frozen=True)
class ReplyBytes:
    """As many bytes as the output parameter's OutLength said."""

    param: ir.Param


@dataclass(frozen=True)
class ReplyValue:
    """The return value."""

    prim: ir.Prim


ReplyStep = Union[ReplyBytes, ReplyValue]


def fixed_size(step: Step) -> int:
    """Bytes of a step without variable data."""
    if isinstance(step, Scalar):
        return step.prim.size
    return ADDRESS_SIZE if isinstance(step, Address) else LENGTH_SIZE


@dataclass(frozen=True)
class Run:
    """Consecutive steps at known distances: offsets[i] is where steps[i] starts, counted from the
    start of
    the run. Variable
    bytes can only follow the last step of a run."""

    steps: Tuple[Step, ...]
    offsets: Tuple[int, ...]
    size: int

    @property
    def bytes(self) -> Optional[Bytes]:
        last = self.steps[-1] if self.steps else None
        return last if isinstance(last, Bytes) else None


@dataclass(frozen=True)
class CommandPlan:
    command: ir.Command
    request: Tuple[Step, ...]
    reply: Tuple[ReplyStep, ...]
    covered: int  # header and body with every variable part empty: what a checksum counts
    trailing: int  # zero bytes behind the checksum that the packet's length includes

    @property
    def fixed(self) -> int:
        """The declared length of the packet with every variable part empty and no checksum."""
        return self.covered + self.trailing

    @property
    def inputs(self) -> Tuple[Bytes, ...]:
        return tuple(s for s in self.request if isinstance(s, Bytes))

    @property
    def outputs(self) -> Tuple[ReplyBytes, ...]:
        return tuple(s for s in self.reply if isinstance(s, ReplyBytes))

    @property
    def value(self) -> Optional[ReplyValue]:
        last = self.reply[-1] if self.reply else None
        return last if isinstance(last, ReplyValue) else None

    def runs(self) -> Tuple[Run, ...]:
        """The body cut after each variable part; the header is not in it."""
        result: List[Run] = []
        steps: List[Step] = []
        offsets: List[int] = []
        size = 0
        for step in self.request:
            steps.append(step)
            offsets.append(size)
            size += fixed_size(step)
            if isinstance(step, Bytes):
                result.append(Run(tuple(steps), tuple(offsets), size))
                steps, offsets, size = [], [], 0
        if steps:
            result.append(Run(tuple(steps), tuple(offsets), size))
        return tuple(result)


@dataclass(frozen=True)
class ApiPlan:
    api: ir.Api
    commands: Tuple[CommandPlan, ...]

    def by_family(self) -> Dict[str, Tuple[CommandPlan, ...]]:
        return {
            f: tuple(c for c in self.commands if c.command.family == f) for f in self.api.families
        }


def _request_step(param: ir.Param) -> Step:
    if param.dma:
        return Address(param)
    if param.direction is ir.Direction.IN:
        return Bytes(param)
    if param.direction is ir.Direction.OUT:
        return OutLength(param)
    assert param.type.prim is not None
    return Scalar(param, param.type.prim)


def plan_command(command: ir.Command) -> CommandPlan:
    request = tuple(_request_step(p) for p in command.params)
    reply: List[ReplyStep] = [
        ReplyBytes(p) for p in command.params if p.direction is ir.Direction.OUT and not p.dma
    ]
    if command.result is not None and command.result.prim is not None:
        reply.append(ReplyValue(command.result.prim))
    covered = HEADER_SIZE + sum(fixed_size(s) for s in request)
    trailing = DMA_TRAILING if any(isinstance(s, Address) for s in request) else 0
    return CommandPlan(command, request, tuple(reply), covered, trailing)


def plan_api(api: ir.Api) -> ApiPlan:
    return ApiPlan(api, tuple(plan_command(c) for c in api.commands))
