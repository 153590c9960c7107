"""The web process."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "groundswell.server.web"

from django.core.wsgi import get_wsgi_application

from groundswell.server.warm import warm

application = get_wsgi_application()
warm()
