class Base:
    def inherited(self, x: int): "doc"
    def over(self): pass
class Tools(Base):
    def over(self, y: str = 'a' 'b'): r"""raw \d doc"""
    def b(self, cb: "Optional[int]" = None): pass
    gone = 3
    def gone2(self): pass
    gone2 = None
from typing import Optional
