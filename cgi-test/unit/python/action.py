from pydantic import BaseModel
from fastapi.requests import Request

actions = [{"id": "a", "name": "A"}]


class Action:
    class Valves(BaseModel):
        pass

    def __init__(self):
        self.valves = self.Valves()

    async def action(self, body: dict, __user__=None, __event_call__=None) -> None:
        response = await __event_call__({"type": "input", "data": {"title": "write a message"}})


if __name__ == "__main__":
    class Pipe:
        pass
