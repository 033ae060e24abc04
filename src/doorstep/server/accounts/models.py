"""Tables of people and organisations."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

__all__ = [
    "ApiKey",
    "DeviceGroup",
    "GroupGrant",
    "Invitation",
    "Member",
    "Organisation",
    "OrganisationKind",
    "Role",
    "User",
]


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
    limited = models.BooleanField(default=False, db_default=False)
    """Sees no device but those of the groups granted; only operators and viewers can be."""
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "member"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organisation"], name="one_role_a_member"),
            models.CheckConstraint(
                condition=models.Q(limited=False) | models.Q(role__in=(Role.OPERATOR, Role.VIEWER)),
                name="who_manages_sees_everything",
            ),
        ]


class DeviceGroup(models.Model):
    """Devices of an organisation that people are let see together, such as those of one place."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="device_groups")
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "device_group"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "name"], name="one_group_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class GroupGrant(models.Model):
    """A limited member sees the devices of this group; what they may do with them is their role."""

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="grants")
    group = models.ForeignKey(DeviceGroup, on_delete=models.CASCADE, related_name="grants")

    class Meta:
        db_table = "group_grant"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "group"], name="one_grant_a_group")
        ]


class Invitation(models.Model):
    """An address was asked to become a member. The mail holds no secret: who proves the address accepts."""

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    """In lower case; only an account with this address, confirmed, can accept."""
    role = models.CharField(max_length=10, choices=Role.choices)
    limited = models.BooleanField(default=False)
    groups = models.JSONField(default=list)
    """Primary keys of the groups that a limited member will see, of those that are left by then."""
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    invited_us = models.BigIntegerField()
    expires_us = models.BigIntegerField()
    closed_us = models.BigIntegerField(null=True, blank=True)
    """When it was accepted, withdrawn or overtaken by a newer one."""

    class Meta:
        db_table = "invitation"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organisation", "email"],
                condition=models.Q(closed_us__isnull=True),
                name="one_open_invitation_an_address",
            )
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
    group = models.ForeignKey(DeviceGroup, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    """It sees the devices of this group alone. It dies with the group, lest it see more than was granted."""
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    """To the hour, so that a busy program costs no write for each request."""
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_key"
