"""Our own people: who they are, which role they have, and which partners are theirs."""

import datetime as dt
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from groundswell.core.rights import ROLES


class Staff(AbstractBaseUser):
    """One of our people. They sign in by e-mail; what they may do follows from the role, never from a single grant."""

    email = models.EmailField(unique=True)
    name = models.TextField()
    role = models.CharField(max_length=16, choices=[(role, role) for role in ROLES])
    territory: Any = models.JSONField(default=list, help_text="countries, ISO 3166 alpha-2, of a manager or seller")
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(null=True, help_text="when the invitation was accepted")

    objects: ClassVar = BaseUserManager["Staff"]()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = []

    def __str__(self) -> str:
        return self.name or self.email


class Invitation(models.Model):
    """A way in for one person, once, until it expires. Only a hash of its word is kept."""

    staff = models.OneToOneField(Staff, on_delete=models.CASCADE, related_name="invitation")
    digest = models.CharField(max_length=64, unique=True)
    until = models.DateTimeField()

    def is_open(self, now: dt.datetime) -> bool:
        """Whether it can still be accepted."""
        return now < self.until


class Book(models.Model):
    """Who looks after a partner. A partner has one partner manager or none."""

    partner_id = models.TextField(primary_key=True)
    manager = models.ForeignKey(Staff, on_delete=models.CASCADE, related_name="book")
    since = models.DateTimeField()
