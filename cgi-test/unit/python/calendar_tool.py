'''
title: Not a manifest, for it begins otherwise
'''
from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import Enum
from typing import Annotated, Optional, Union
import typing as t

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, conint


class Priority(str, Enum):
    """How much it matters."""

    LOW = "low"
    HIGH = "high"


class Attendee(BaseModel):
    """Somebody who is invited."""

    name: str = Field(..., min_length=1, max_length=80)
    mail: Optional[str] = None


class Event(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: str
    starts: datetime
    lasts: timedelta
    attendees: list[Attendee] = Field(default_factory=list, max_length=20)
    priority: Priority = Priority.LOW


class Tools:
    class UserValves(BaseModel):
        calendar: Annotated[str, Field(description="Which one")] = "private"
        remind_minutes: conint(ge=0, le=1440) = 15
        days: PositiveInt = 7
        model_config = {"extra": "allow"}

    def list_events(self, since: date, until: date | None = None, limit: Annotated[int, Field(ge=1, le=50)] = 10):
        """List events of a calendar.

        Days are those of the calendar's own time zone.
        :param since: first day
        :param until: last day, that one included
        """

    def add_attendees(self, event_id: Union[int, str], attendees: t.List[Attendee], organiser: Attendee, note: t.Any = None) -> "Event":
        """
        Invites people.

        :param attendees: whom
        """
        return None

    def set_priority(self, event_id: str, priority: Priority, old: Optional[Priority] = None):
        """:param priority: the new one"""
