"""What the first page of a web process would wait for, done before it takes requests: views, templates, the policy."""

import logging
from pathlib import Path


def warm() -> None:
    """Read what every page needs. What is wrong with the records is logged: pages say it, each for itself."""
    from django.conf import settings
    from django.db import DatabaseError, connection
    from django.template import engines
    from django.template.loader import get_template
    from django.urls import reverse

    from groundswell.engine.home import Damaged, Home
    from groundswell.policy.read import BadPolicy
    from groundswell.reads.partners import NothingPublished, published
    from groundswell.reads.policy import policy_of

    reverse("partners")  # imports every view
    for folder in map(Path, engines["django"].dirs):
        for path in sorted(folder.rglob("*.html")):
            get_template(str(path.relative_to(folder)))
    try:
        policy_of(Home(settings.HOME), published())
    except NothingPublished:
        return
    except (Damaged, BadPolicy, DatabaseError) as error:
        logging.getLogger("groundswell").warning("%s", error)
    finally:
        connection.close()
