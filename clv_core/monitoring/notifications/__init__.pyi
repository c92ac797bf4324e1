from .mail import Smtp as Smtp
from .mail import send as send
from .summary import summary_mail as summary_mail
from .webhook import checked_url as checked_url
