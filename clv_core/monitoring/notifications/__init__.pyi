from .notify import summary_mail as summary_mail
from .sending import Smtp as Smtp
from .sending import checked_url as checked_url
from .sending import send as send
