"""
title: Think first
"""
from typing import Optional
from pydantic import BaseModel, Field


class Filter:
    class Valves(BaseModel):
        priority: int = Field(
            default=0, description="Priority level for the filter operations."
        )
        max_turns: int = Field(
            default=8, description="Maximum allowable conversation turns for a user."
        )

    class UserValves(BaseModel):
        max_turns: int = Field(
            default=4, description="Maximum allowable conversation turns for a user."
        )

    def __init__(self):
        self.valves = self.Valves()
        self.toggle = True
        self.icon = """data:image/svg+xml;base64,PHN2Zy8+"""

    async def inlet(self, body: dict, __event_emitter__, __user__: Optional[dict] = None) -> dict:
        await __event_emitter__({"type": "status", "data": {"description": "Toggled!", "done": True, "hidden": False}})
        return body

    def outlet(self, body: dict, __user__: Optional[dict] = None) -> dict:
        return body
