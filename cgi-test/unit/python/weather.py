"""
title: Weather
author: A. Person
author_url: https://example.org/a
description: Current weather and forecasts: by place
requirements: requests, pytz>=2024.1
version: 1.4.2
license: MIT
"""

import os
import requests
from datetime import datetime
from pydantic import BaseModel, Field


class Tools:
    class Valves(BaseModel):
        OPENWEATHER_API_KEY: str = Field(
            default=os.getenv("OPENWEATHER_API_KEY", ""),
            description="Key of the service",
        )
        UNITS: str = Field(default="metric", description="metric or imperial")
        TIMEOUT: int = Field(default=30, ge=1, le=300)

    class UserValves(BaseModel):
        home_town: str = ""
        show_icons: bool = Field(default=True, description="Pictures in the answer")

    def __init__(self):
        self.valves = self.Valves()
        self.citation = False
        self.cache = {}

    def get_current_weather(self, city: str) -> str:
        """
        Get the current weather for a given city.
        :param city: The name of the city to get the weather for.
        :return: The current weather information or an error message.
        """
        api_key = self.valves.OPENWEATHER_API_KEY
        if not api_key:
            return "API key is not set."
        base_url = "http://api.openweathermap.org/data/2.5/weather"
        params = {"q": city, "appid": api_key, "units": self.valves.UNITS}
        try:
            response = requests.get(base_url, params=params, timeout=self.valves.TIMEOUT)
            response.raise_for_status()
            data = response.json()
            return f"Weather in {city}: {data['main']['temp']}°C, {data['weather'][0]['description']}"
        except requests.RequestException as e:
            return f"Error fetching weather data: {str(e)}"

    def get_forecast(self, city: str, days: int = 3, hourly: bool = False) -> str:
        """
        Get a forecast.

        :param city: Where; "Paris,FR" is fine: the country helps
        :param days: How many days (1-7)
        """
        return ""

    def get_time(self) -> str:
        """
        Get the current time.
        """
        now = datetime.now()
        return f"{now:%H:%M}"
