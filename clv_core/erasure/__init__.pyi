from .certificate import FOLDER as FOLDER
from .certificate import Certificate as Certificate
from .certificate import certificates as certificates
from .certificate import markdown_path as markdown_path
