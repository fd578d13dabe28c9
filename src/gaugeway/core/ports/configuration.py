"""What is set up: accounts and who may enter, gateways, providers, routes."""

from __future__ import annotations

from typing import Protocol

from gaugeway.core.model import Account, CustomProvider, Gateway, Scope, Session, Token
from gaugeway.core.ports.common import Page
from gaugeway.core.routes.records import Route, RouteDeployment, RouteVersion


class ConfigStore(Protocol):
    """What the data plane reads on its way: a number that changes whenever any of it changes."""

    def version(self) -> int:
        """A cheap (microseconds) stamp of accounts, tokens, gateways, custom providers and dynamic routes.

        After a change in any process has returned, every process sees another number.
        """
        ...


class AccountStore(Protocol):
    """Accounts."""

    def create(self, account: Account) -> None:
        """Conflict where the id is taken."""
        ...

    def bootstrap(self, account: Account, token: Token) -> tuple[Account, bool]:
        """Create the first account and its first token, if there is no account at all, in one step.

        The default account (the given one or the one that was there), and whether this call made it: of
        several servers that start on an empty store at once, exactly one is told True.
        """
        ...

    def get(self, account_id: str) -> Account | None: ...
    def list(self) -> list[Account]:
        """All of them, oldest first; the first is the default account."""
        ...


class TokenStore(Protocol):
    """API tokens, by the hash of their text."""

    def create(self, token: Token) -> None:
        """NotFound without its account, Conflict where the id or the hash is taken."""
        ...

    def find(self, sha256: bytes) -> Token | None:
        """The token with that hash, expired or not."""
        ...

    def list(self, account_id: str) -> list[Token]:
        """Oldest first, expired ones too."""
        ...

    def revoke(self, account_id: str, token_id: str) -> Token:
        """Delete it at once; NotFound."""
        ...


class SessionStore(Protocol):
    """Browsers that are signed in."""

    def create(self, session: Session, *, keep: int) -> None:
        """NotFound without its token. Of that token's sessions the newest `keep` stay; expired ones of all go."""
        ...

    def find(self, sha256: bytes) -> tuple[Session, Token] | None:
        """The session with that hash and its token, expired or not; None from the moment either is gone."""
        ...

    def delete(self, sha256: bytes) -> None:
        """Sign it out; nothing where there is none."""
        ...


class GatewayStore(Protocol):
    """Gateways."""

    def create(self, gateway: Gateway) -> None:
        """NotFound without its account, Conflict where the id is taken."""
        ...

    def get(self, scope: Scope) -> Gateway | None: ...
    def list(self, account_id: str, *, search: str | None, offset: int, limit: int) -> Page[Gateway]:
        """Newest first. `search` is part of the id, case-insensitive."""
        ...

    def replace(self, gateway: Gateway) -> None:
        """NotFound where there is none of that id."""
        ...

    def delete(self, scope: Scope) -> Gateway:
        """The gateway that was, with its datasets and evaluations gone; its logs are `LogStore.delete_scope`'s."""
        ...


class CustomProviderStore(Protocol):
    """Providers that an account added."""

    def create(self, provider: CustomProvider) -> None:
        """NotFound without its account, Conflict where the slug is taken."""
        ...

    def get(self, account_id: str, provider_id: str) -> CustomProvider | None: ...
    def find(self, account_id: str, slug: str) -> CustomProvider | None: ...
    def list(self, account_id: str, *, offset: int, limit: int) -> Page[CustomProvider]:
        """By position (none last), then name."""
        ...

    def replace(self, provider: CustomProvider) -> None:
        """NotFound where there is none of that id, Conflict where another has the slug."""
        ...

    def delete(self, account_id: str, provider_id: str) -> CustomProvider:
        """The provider that was; NotFound."""
        ...


class RouteStore(Protocol):
    """Dynamic routes, their versions and deployments."""

    def create(self, route: Route) -> None:
        """With its first version, deployed. NotFound without its gateway, Conflict where the name is taken."""
        ...

    def get(self, scope: Scope, route_id: str) -> Route | None: ...
    def find(self, scope: Scope, name: str) -> Route | None: ...
    def list(self, scope: Scope, *, offset: int, limit: int) -> Page[Route]:
        """Newest first."""
        ...

    def rename(self, scope: Scope, route_id: str, name: str, now_ms: int) -> Route:
        """NotFound, Conflict where another of the gateway has the name."""
        ...

    def delete(self, scope: Scope, route_id: str) -> Route:
        """The route that was, with its versions and deployments gone; NotFound."""
        ...

    def add_version(self, scope: Scope, route_id: str, version: RouteVersion) -> Route:
        """Keep another version, not deployed; NotFound."""
        ...

    def version(self, scope: Scope, route_id: str, version_id: str) -> RouteVersion | None: ...
    def versions(self, scope: Scope, route_id: str, *, offset: int, limit: int) -> Page[RouteVersion]:
        """Newest first."""
        ...

    def deploy(self, scope: Scope, route_id: str, deployment: RouteDeployment) -> Route:
        """Put a version to work, whether newer or older; NotFound where the route or the version is not there."""
        ...

    def deployments(self, scope: Scope, route_id: str, *, offset: int, limit: int) -> Page[RouteDeployment]:
        """Newest first; the first is the one that counts."""
        ...
