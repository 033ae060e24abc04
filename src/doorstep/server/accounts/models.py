"""Tables of people and organisations."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

__all__ = ["ApiKey", "Member", "Organisation", "User"]


class UserManager(BaseUserManager["User"]):
    """Makes users by e-mail address, which is compared without regard to case."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user; without a password nobody can log in as it."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by address in any case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """Somebody who can log in, known by a confirmed e-mail address."""

    email = models.EmailField(unique=True, max_length=254)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "user_account"

    def get_full_name(self) -> str:
        """Name as people see it."""
        return self.name or self.email


class OrganisationKind(models.TextChoices):
    """What an organisation is to the maker of the devices."""

    MAKER = "maker"
    WHOLESALER = "wholesaler"
    CUSTOMER = "customer"


class Organisation(models.Model):
    """The maker (exactly one), a wholesaler or a customer: devices are owned by organisations."""

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=OrganisationKind.choices)
    email = models.EmailField(blank=True, max_length=254)
    """Address the ERP knows it by; for a wholesaler unique."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "organisation"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["kind"], condition=models.Q(kind="maker"), name="one_maker_a_deployment"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do: owner > admin > operator > viewer."""

    OWNER = "owner"
    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


class Member(models.Model):
    """One user's role in one organisation."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="members")
    role = models.CharField(max_length=10, choices=Role.choices)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "member"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organisation"], name="one_role_a_member")
        ]


class ApiKey(models.Model):
    """A scoped key for programs; only its hash is kept."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, unique=True)
    """Public start of the key, to find and name it."""
    key_hash = models.BinaryField(max_length=32)
    """SHA-256 of the whole key, which holds 256 random bits."""
    scopes = models.JSONField(default=list)
    """Permissions ``scope:resource:action`` of ``doorstep.server.accounts.permissions``."""
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_key"
