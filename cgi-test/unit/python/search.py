"""
title: Web search
version: 0.2.0
required_open_webui_version: 0.4.0
"""

import asyncio
import json
import re
from typing import Any, Awaitable, Callable, Dict, List, Literal, Optional

import aiohttp
from bs4 import BeautifulSoup
from pydantic import BaseModel, Field

DEFAULT_ENGINE = "https://search.example/search"
IGNORED = ["pinterest.com", "facebook.com"]
SECONDS = 60


class EventEmitter:
    def __init__(self, event_emitter: Callable[[dict], Any] = None):
        self.event_emitter = event_emitter

    async def emit(self, description="Unknown state", status="in_progress", done=False):
        if self.event_emitter:
            await self.event_emitter(
                {"type": "status", "data": {"status": status, "description": description, "done": done}}
            )


class Tools:
    class Valves(BaseModel):
        SEARXNG_ENGINE_API_BASE_URL: str = Field(
            default=DEFAULT_ENGINE,
            description="The base URL of the search engine",
        )
        IGNORED_WEBSITES: str = Field(default="", description="Comma-separated list of websites to ignore")
        BLOCKED: List[str] = Field(default=IGNORED + ["x.com"])
        RETURNED_SCRAPPED_PAGES_NO: int = Field(default=3, description="The number of search engine results to parse")
        CACHE_SECONDS: int = Field(default=5 * SECONDS, gt=0)
        CITATION_LINKS: bool = Field(default=False, description="If True, send custom citations with links")
        HEADERS: Dict[str, str] = {
            "User-Agent": "Mozilla/5.0",
        }

    def __init__(self):
        self.valves = self.Valves()
        self.headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}

    async def search_web(
        self,
        query: str,
        safe: Literal["off", "moderate", "strict"] = "moderate",
        domains: Optional[List[str]] = None,
        __event_emitter__: Callable[[dict], Awaitable[None]] = None,
        __user__: Optional[dict] = None,
    ) -> str:
        """
        Search the web and get the content of the relevant pages. Search for unknown knowledge, news, info, public contact info, weather, etc.

        :param query: Web Query used in search engine.
        :param safe: How strict.
        :param domains: Only these; all when left out.
        :params nothing: is no such thing
        :return: The content of the pages in json format.
        """
        emitter = EventEmitter(__event_emitter__)
        await emitter.emit(f"Initiating web search for: {query}")
        results = [x for x in [] if x not in self.valves.IGNORED_WEBSITES.split(",")]
        return json.dumps(results, ensure_ascii=False)

    async def get_website(self, url: str, __event_emitter__=None, *, raw: bool = False) -> str:
        """
        Web scrape the website provided and get the content of it.
        :param url: The URL of the website.
        """
        return ""

    def _clean(self, text: str, limit=1000):
        return re.sub(r"\s+", " ", text)[:limit]
