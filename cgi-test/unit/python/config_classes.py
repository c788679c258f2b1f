from enum import Enum, IntEnum, auto
from pydantic import BaseModel, Field

class Size(IntEnum):
    SMALL = 1
    BIG = 2

class Kind(Enum):
    A = auto()
    B = auto()

class Mixed(Enum):
    ONE = 1
    TWO = "two"

def shade(x):
    return x

class Filter:
    toggle = False
    class Valves(BaseModel):
        size: Size = Field(default=Size.BIG, description="How big")
        kind: Kind = Kind.B
        mixed: Mixed = Mixed.ONE
        nested: dict[str, list[int]] = {"z": [1], "a": []}
        mult: int = Field(4, multiple_of=2, exclude=True, frozen=True)
        text: str = Field("abc", pattern="^[a-z]+$", max_length=10)
        legacy: list[str] = Field([], min_length=0)
        class Config:
            extra = "forbid"
            title = "Settings"
    def inlet(self, body):
        return body
