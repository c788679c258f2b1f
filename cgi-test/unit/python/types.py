"""
title: Kitchen Sink
author: me
requirements: requests, foo
version: 1.0
"""
from __future__ import annotations
import os, json
import typing as t
from typing import Optional, List, Dict, Any, Literal, Union, Tuple, Callable, Awaitable
from datetime import datetime, date, time, timedelta
from enum import Enum, IntEnum
from uuid import UUID
from decimal import Decimal
from pydantic import BaseModel, Field, ConfigDict

DEFAULT_URL = "http://localhost"
LIMIT = 60 * 60

class Color(str, Enum):
    RED = "red"
    GREEN = "green"

class Level(IntEnum):
    """How loud."""
    LOW = 1
    HIGH = 2

class Point(BaseModel):
    """A point.

    In the plane.
    """
    x: int
    y: float = 0.5
    title: str = "t"

class Node(BaseModel):
    name: str
    child: Optional["Node"] = None

Alias = Union[int, str]

class Tools:
    class Valves(BaseModel):
        """Settings of it."""
        api_key: str = Field(default="", description="The key")
        url: str = DEFAULT_URL
        secs: int = Field(LIMIT, ge=1, le=10_000, title="Seconds")
        ratio: float = Field(0.5, gt=0, lt=1.5)
        names: List[str] = Field(default_factory=list, max_length=3)
        tags: list[str] = []
        opts: Dict[str, int] = {"a": 1}
        anyd: dict = {}
        color: Color = Color.RED
        level: Level = Field(default=Level.LOW, description="lvl")
        mode: Literal["a", "b"] = "a"
        one: Literal["x"] = "x"
        maybe: Optional[int] = None
        maybe2: int | None = Field(None, ge=3)
        u: Union[int, str, None] = 3
        p: Point = Field(..., description="Where")
        p2: Optional[Point] = None
        ps: List[Point] = []
        when: datetime
        d: date
        tt: time
        td: timedelta
        uid: UUID
        dec: Decimal = Field(default=1)
        tup: Tuple[int, str] = (1, "a")
        tup2: tuple[int, ...] = ()
        st: set[str] = {"a"}
        a: Any = None
        obj: object = None
        lst: list = [1, {"b": 2}]
        env: str = Field(default=os.getenv("FOO_BAR_X", "dflt"))
        env2: Optional[str] = os.environ.get("NOPE_X")
        extra: str = Field("", json_schema_extra={"input": {"type": "password"}})
        pat: str = Field("abc", min_length=1, max_length=9, pattern="^a")
        openAIKey2_x: str = ""
        _private: int = 3
        K: t.ClassVar[int] = 9
        multi: str = ("one "
            "two" " three")
        neg: int = -5
        big: float = 1e6
        al: Alias = 1
        req_none: Optional[str]
        nest: Dict[str, List[Optional[int]]] = {}
        node: Optional[Node] = None
        b: bytes = b"x"
        ex: int = Field(1, examples=[1, 2], deprecated=True)

    class UserValves(BaseModel):
        model_config = ConfigDict(extra="forbid", title="Mine")
        on: bool = True

    def __init__(self):
        self.valves = self.Valves.model_construct()
        self.citation = True

    def zeta(self, q: str, n: int = 5, *, k: Optional[str] = None, __user__: dict = {}, __event_emitter__: Callable[[dict], Awaitable[None]] = None) -> str:
        """
        Does zeta things.
          Second line.

        :param q: the query: with colon
        :param n:   number of
        :param nope: not there
        :return: text
        """
        return ""

    async def alpha(self, points: List[Point], where: Point, c: Color = Color.GREEN, opt: Optional[Point] = None, **kwargs) -> dict:
        """Alpha.
        :param c: colour
        """

    def _hidden(self, x):
        pass

    def fielded(self, a: str = Field(..., description="An a"), b: int = Field(3, ge=1), title: str = "x", schema: str = "s"):
        """With Field.
        :param b: b text
        """

    @staticmethod
    def stat(a: int, b=2, c="x", d=None, e: float = 1, f=[1], g=(1, 2)):
        "static one"

    @classmethod
    def clsm(cls, z: Node):
        pass

    @property
    def prop(self):
        return 1

    def lit(self, m: Literal["a", "b", None] = None, l2: Literal[1, "a"] = 1, l3: Literal[True] = True, *args):
        """\tTabbed\tdoc
        more \\n text
        """

    def model_like(self, model_name: str, json: dict, copy: bool = False): ...
