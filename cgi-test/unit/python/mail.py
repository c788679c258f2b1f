"""
title: Mail
x: 1
"""
import smtplib, ssl
from email.mime.text import MIMEText
from typing import *
from pydantic import *

class Account(BaseModel):
    host: str = "localhost"
    port: int = Field(587, ge=1, le=65535, title="Port of the server")
    password: SecretStr = Field(default="", repr=False)
    site: Optional[HttpUrl] = None

class Base(BaseModel):
    """Shared."""
    accounts: Dict[str, Account] = Field({}, description="By name")
    default_account: Optional[Account] = None
    tags: Set[str] = set()
    pair: Tuple[int, str] = (1, "one")
    many: Tuple[int, ...] = ()
    fixed: ClassVar[int] = 3

class Tools:
    class Valves(Base):
        accounts: Dict[str, Account] = Field({"a": {"host": "h"}}, description="Own")
        mode: Literal["plain", "html"] = Field("plain", examples=["html"])
        reply_to: Union[str, List[str], None] = None
        weights: Mapping[str, float] = {}

    def send_mail(self, to: List[str], subject: str, body: str, cc: Optional[List[str]] = None, account: Optional[Account] = None, important: bool = False) -> str:
        """
        Sends a mail.

            Indented text stays
        with its words.

        :param to: who gets it
        :param body:
        :param subject: what about
        :return: nothing
        :param cc: too late, but read all the same
        """
        context = ssl.create_default_context()
        with smtplib.SMTP("h", 25) as server:
            server.starttls(context=context)
        return f"sent to {', '.join(to)}"
