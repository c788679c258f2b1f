"""
title: Provider manifold
authors: two people
license: MIT
version: 0.3
icon_url: data:image/svg+xml;base64,PHN2Zy8+
"""

import os
import json
import requests
from typing import List, Union, Generator, Iterator
from pydantic import BaseModel, Field
from open_webui.utils.misc import pop_system_message


class Pipe:
    class Valves(BaseModel):
        NAME_PREFIX: str = Field(
            default="PROVIDER/",
            description="The prefix applied before the model names.",
        )
        API_BASE_URL: str = Field(default="https://api.example/v1", description="The base URL.")
        API_KEY: str = Field(
            default=os.getenv("PROVIDER_API_KEY", ""), json_schema_extra={"input": {"type": "password"}}
        )
        ENABLED: bool = Field(default=os.getenv("PROVIDER", "on").lower() == "on")
        TEMPERATURE: float = 0.7
        pass

    class UserValves(BaseModel):
        API_KEY: str = Field(default="", description="User-specific API key.")

    def __init__(self):
        self.type = "manifold"
        self.id = "provider"
        self.valves = self.Valves(**{"API_KEY": os.getenv("PROVIDER_API_KEY", "")})

    def pipes(self) -> List[dict]:
        if self.valves.API_KEY:
            try:
                headers = {"Authorization": f"Bearer {self.valves.API_KEY}"}
                r = requests.get(f"{self.valves.API_BASE_URL}/models", headers=headers)
                return [
                    {"id": m["id"], "name": f'{self.valves.NAME_PREFIX}{m["name"] if "name" in m else m["id"]}'}
                    for m in r.json()["data"]
                    if "gpt" in m["id"]
                ]
            except Exception as e:
                print(f"Error: {e}")
                return [{"id": "error", "name": "Could not fetch models."}]
        else:
            return [{"id": "error", "name": "API Key not provided."}]

    def pipe(self, body: dict, __user__: dict) -> Union[str, Generator, Iterator]:
        model_id = body["model"][body["model"].find(".") + 1 :]
        payload = {**body, "model": model_id}
        match body.get("stream"):
            case True:
                return (line for line in [])
            case _:
                return json.dumps(payload)
