"""The web process."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "groundswell.server.web"

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
