class  Tools ( object ) :
	"""Tabs, semicolons, continued lines."""
	limit : int = 5; name = "x" ; other \
		= 'y'
	def one ( self , a : int = 1 , # a comment, with: colon
			b : "str" = ( 'two'
				"words" ) , ) -> ( str ) : "One line." ; return a
	async def two (self, a, /, b: float = -1.5e3, *rest: int, c: bool = not True, **more: str): return { "k" : [ a [ 1 : 2 ] ] }
	if True :
		def three(self, x: list = None, y: dict = {"a": [1, 2.5, None, True], 'b': ()}): pass
	else:
		pass
	try:
		def four(self, ünïcode: str = "\u00e9\x41\101\n", raw: str = r"\d", joined: str = f"plain"): pass
	except Exception:
		def four(self): pass
	class Inner: pass
	@staticmethod
	def five(s: set = {1}, t: tuple = (1,), n: int = 0x1F + 0b11 + 0o7 + 1_000, d: int = 7 // 2 - 2 ** 3 % 5, m: float = 3 / 2): ...
	@property
	def six(self): return 1
