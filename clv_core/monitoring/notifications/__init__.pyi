from .notify import summary_mail as summary_mail
from .sending import EMAIL as EMAIL
from .sending import WEBHOOK as WEBHOOK
from .sending import Smtp as Smtp
from .sending import channels as channels
from .sending import chat_payload as chat_payload
from .sending import checked_url as checked_url
from .sending import deliver as deliver
