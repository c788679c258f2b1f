from typing import Optional, List
from pydantic import BaseModel
class Node(BaseModel):
    value: int
    next: Optional["Node"] = None
    children: List["Node"] = []
class Tools:
    class Valves(Node):
        value: int = 3
    def walk(self, start: Node, deep: bool = True):
        """Walks."""
    def two(self, a: Node, b: Node): pass
