"""The requests that the Hub on loopback knows, one function each, under the name by which tests and faults call it."""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

import yaml

from tests.hub_store import Commit, File, Repo, Role, lfs_pointer, with_changes, xet_hashes
from tests.hub_wire import Reply, Request, answer, refusal

if TYPE_CHECKING:
    from tests.hub import Hub

Handler = Callable[..., Reply]

PIECES = {
    "{kind}": r"(?P<kind>dataset|model|space)",
    "{at}": r"(?P<at>datasets/|spaces/|)",
    "{repo}": r"(?P<repo>[^/]+/[^/.][^/]*?)",
    "{rev}": r"(?P<rev>[^/]+)",
    "{path}": r"(?P<path>.+)",
    "{name}": r"(?P<name>[^/]+)",
    "{space}": r"(?P<space>[^/]+)",
}


@dataclass(frozen=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    name: str
    handler: Handler

    def match(self, path: str) -> dict[str, str]:
        found = self.pattern.fullmatch(path)
        return found.groupdict() if found else {}


ROUTES: list[Route] = []


def find(method: str, path: str) -> Route | None:
    """The route of a request; a HEAD is a GET without its body."""
    wanted = "GET" if method == "HEAD" else method
    fitting = (route for route in ROUTES if route.method == wanted and route.pattern.fullmatch(path))
    return next(fitting, None)


def on(method: str, path: str, name: str) -> Callable[[Handler], Handler]:
    pattern = re.escape(path).replace(r"\{", "{").replace(r"\}", "}")
    for piece, expression in PIECES.items():
        pattern = pattern.replace(piece, expression)

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, re.compile(pattern), name, handler))
        return handler

    return register


# who may do what


def not_found(request: Request, what: str = "Repository not found") -> Reply:
    """A private repository looks like a missing one; who shows no token is told so by a 401."""
    return refusal(404 if request.token else 401, what, "RepoNotFound")


def in_repo(write: bool = False) -> Callable[[Handler], Handler]:
    """Give the handler the `Repo` itself, once it is clear that the request may see (or change) it."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def guarded(hub: Hub, request: Request, kind: str, repo: str, **more: str) -> Reply:
            found = hub.repos.get((kind, repo))
            if found is None or not hub.may_read(request, found):
                return not_found(request)
            if write and request.token is None:
                return refusal(401, "Invalid username or password.")
            if write and not may_change(hub, request, found):
                return refusal(403, f"You don't have the rights to write to {repo} with this token")
            return handler(hub, request, found, **more)

        return guarded

    return decorate


def may_change(hub: Hub, request: Request, repo: Repo) -> bool:
    """A pull request may be opened by anybody with a token that writes."""
    token = hub.tokens.get(request.token or "")
    opens_pr = request.query.get("create_pr") == ["1"] and token is not None and token.role != Role.READ
    return opens_pr or hub.may_write(request, repo)


def no_revision(revision: str) -> Reply:
    return refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")


# accounts and sign-in


@on("GET", "/api/whoami-v2", "whoami")
def whoami(hub: Hub, request: Request) -> Reply:
    user = hub.user(request)
    if user is None:
        return refusal(401, "Invalid username or password.")
    role = hub.tokens[request.token or ""].role
    auth = {"type": "access_token", "accessToken": {"displayName": "test", "role": role}}
    if role == Role.CONTRIBUTE:
        auth = {"type": "oauth", "accessToken": {"displayName": "app", "role": "fineGrained"}}
    orgs = [{"type": "org", "name": org, "fullname": org, "roleInOrg": "admin"} for org in user.orgs]
    return answer(
        {"type": "user", "id": user.name, "name": user.name, "fullname": user.name.title(), "isPro": user.pro}
        | {"orgs": orgs, "auth": auth}
    )


@on("POST", "/oauth/device", "oauth_device")
def oauth_device(hub: Hub, request: Request) -> Reply:
    user_code = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}".upper()
    device_code = secrets.token_urlsafe(16)
    hub.devices[user_code] = {"device_code": device_code, "scope": request.form.get("scope", [""])[0]}
    page = f"{hub.url}/device"
    return answer(
        {"device_code": device_code, "user_code": user_code, "verification_uri": page, "interval": 1}
        | {"verification_uri_complete": f"{page}?user_code={user_code}", "expires_in": 900}
    )


@on("POST", "/oauth/token", "oauth_token")
def oauth_token(hub: Hub, request: Request) -> Reply:
    wanted = request.form.get("device_code", [""])[0]
    device = next((d for d in hub.devices.values() if d["device_code"] == wanted), None)
    if device is None:
        return answer({"error": "expired_token"}, 400)
    if device.get("denied"):
        return answer({"error": "access_denied"}, 400)
    if "token" not in device:
        return answer({"error": "authorization_pending"}, 400)
    hub.devices = {code: d for code, d in hub.devices.items() if d is not device}
    return answer(
        {"access_token": device["token"], "token_type": "bearer", "scope": device["scope"]}
        | {"expires_in": device["expires_in"]}
    )


@on("GET", "/device", "device_page")
def device_page(hub: Hub, request: Request) -> Reply:
    """What the visitor sees behind the link: the code, and a button for each account that could be signed in."""
    code = request.query.get("user_code", [""])[0]
    if code not in hub.devices:
        return page("No such code.")
    buttons = "".join(
        f'<button name="user" value="{name}">Authorize as {name}</button>' for name in hub.users
    )
    hidden = f'<input type="hidden" name="user_code" value="{code}">'
    return page(
        f'<p>Code {code}</p><form method="post" action="/device">{hidden}{buttons}<button name="user">Deny</button></form>'
    )


@on("POST", "/device", "device_confirm")
def device_confirm(hub: Hub, request: Request) -> Reply:
    """A token of that user, as wide as the app has asked for."""
    (code,), user = request.form["user_code"], request.form.get("user", [""])[0]
    if not user:
        hub.deny(code)
        return page("Denied.")
    wide = "write-repos" in hub.devices[code]["scope"].split()
    hub.approve(code, user, Role.WRITE if wide else Role.CONTRIBUTE)
    return page("You can close this page.")


def page(body: str) -> Reply:
    return Reply(200, f"<!doctype html><title>Hub</title>{body}".encode(), {"Content-Type": "text/html"})


# repositories


@on("POST", "/api/repos/create", "create")
def create(hub: Hub, request: Request) -> Reply:
    user, wanted = hub.user(request), request.json
    if user is None:
        return refusal(401, "Invalid username or password.")
    kind, namespace = wanted.get("type", "model"), wanted.get("organization") or user.name
    name = f"{namespace}/{wanted['name']}"
    if namespace not in (user.name, *user.orgs) or hub.tokens[request.token or ""].role == Role.READ:
        return refusal(
            403, f'You don\'t have the rights to create a {kind} under the namespace "{namespace}"'
        )
    if kind == "space" and wanted.get("sdk") != "static" and not user.pro:
        return refusal(402, "Gradio and Docker Spaces need a PRO subscription.")
    answered = {"url": f"{hub.url}/{prefix(kind)}{name}", "name": name, "id": name}
    if (kind, name) in hub.repos:
        return answer({"error": f"You already created this {kind} repo", **answered}, 409)
    created = hub.create(
        kind, name, private=wanted.get("visibility") == "private", created_with=request.token
    )
    created.sdk, created.volumes = wanted.get("sdk"), wanted.get("volumes", [])
    created.variables = {v["key"]: v["value"] for v in wanted.get("variables", [])}
    created.secret_names = {s["key"] for s in wanted.get("secrets", [])}
    return answer(answered)


@on("DELETE", "/api/repos/delete", "delete")
def delete(hub: Hub, request: Request) -> Reply:
    user, wanted = hub.user(request), request.json
    namespace = wanted.get("organization") or (user.name if user else "")
    key = (wanted.get("type", "model"), f"{namespace}/{wanted['name']}")
    found = hub.repos.get(key)
    if found is None or not hub.may_read(request, found):
        return not_found(request)
    if not hub.may_write(request, found):
        return refusal(403, "You don't have the rights to delete this repository")
    del hub.repos[key]
    return answer({})


@on("GET", "/api/{kind}s", "search")
def search(hub: Hub, request: Request, kind: str) -> Reply:
    words = [word.lower() for text in request.query.get("search", []) for word in text.split()]
    author = request.query.get("author", [""])[0]
    fitting = [
        repo
        for (its_kind, name), repo in hub.repos.items()
        if its_kind == kind and all(word in name.lower() for word in words) and hub.may_read(request, repo)
    ]
    limit = int(request.query.get("limit", ["100"])[0])
    return answer([about(hub, repo, repo.head) for repo in fitting if author in ("", repo.namespace)][:limit])


@on("GET", "/api/{kind}s/{repo}", "info")
@in_repo()
def info(hub: Hub, request: Request, repo: Repo) -> Reply:
    return answer(about(hub, repo, repo.head))


@on("GET", "/api/{kind}s/{repo}/revision/{rev}", "revision")
@in_repo()
def revision(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    commit = repo.resolve(rev)
    return answer(about(hub, repo, commit)) if commit else no_revision(rev)


def about(hub: Hub, repo: Repo, commit: Commit) -> dict[str, Any]:
    """What the Hub says of a repository at a commit."""
    readme = commit.files.get("README.md")
    card = told_card(hub.blobs.path(readme.sha256).read_text("utf-8", "replace")) if readme else {}
    return {
        "_id": repo.name,
        "id": repo.name,
        "author": repo.namespace,
        "sha": commit.oid,
        "lastModified": stamp(commit.when),
        "createdAt": stamp(commit.when),
        "private": repo.private,
        "gated": "manual" if repo.gated else False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": card.get("tags", []),
        "cardData": card,
        "siblings": [{"rfilename": path} for path in sorted(commit.files)],
    }


@on("GET", "/api/{kind}s/{repo}/refs", "refs")
@in_repo()
def refs(hub: Hub, request: Request, repo: Repo) -> Reply:
    def entry(name: str, oid: str, folder: str) -> dict[str, str]:
        return {"name": name, "ref": f"{folder}{name}", "targetCommit": oid}

    branches = [entry(n, o, "refs/heads/") for n, o in repo.branches.items() if not n.startswith("refs/")]
    pulls = [entry(n, o, "") for n, o in repo.branches.items() if n.startswith("refs/pr/")]
    tags = [entry(n, o, "refs/tags/") for n, o in repo.tags.items()]
    return answer({"branches": branches, "converts": [], "tags": tags, "pullRequests": pulls})


@on("GET", "/api/{kind}s/{repo}/commits/{rev}", "commits")
@in_repo()
def commits(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    commit = repo.resolve(rev)
    if commit is None:
        return no_revision(rev)
    return answer(
        [
            {
                "id": c.oid,
                "title": c.title,
                "message": "",
                "date": stamp(c.when),
                "authors": [{"user": c.author}],
            }
            for c in repo.history(commit)
        ]
    )


@on("GET", "/api/{kind}s/{repo}/auth-check", "auth_check")
@in_repo()
def auth_check(hub: Hub, request: Request, repo: Repo) -> Reply:
    return answer({}) if hub.may_open(request, repo) else gate(request)


@on("GET", "/api/{kind}s/{repo}/auth-check/write", "auth_check_write")
@in_repo(write=True)
def auth_check_write(hub: Hub, request: Request, repo: Repo) -> Reply:
    return answer({})


@on("POST", "/api/{kind}s/{repo}/branch/{rev}", "branch")
@in_repo(write=True)
def branch(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    start = repo.resolve(request.json.get("startingPoint", "main"))
    if rev in repo.branches:
        return refusal(409, f"Reference already exists: refs/heads/{rev}")
    if start is None:
        return no_revision(request.json["startingPoint"])
    repo.branches[rev] = start.oid
    return answer({})


@on("DELETE", "/api/{kind}s/{repo}/branch/{rev}", "branch_delete")
@in_repo(write=True)
def branch_delete(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    return answer({}) if repo.branches.pop(rev, None) else no_revision(rev)


@on("POST", "/api/{kind}s/{repo}/tag/{rev}", "tag")
@in_repo(write=True)
def tag(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    commit, name = repo.resolve(rev), request.json["tag"]
    if commit is None:
        return no_revision(rev)
    if name in repo.tags:
        return refusal(409, f"Tag reference exists already: refs/tags/{name}")
    repo.tags[name] = commit.oid
    return answer({})


@on("DELETE", "/api/{kind}s/{repo}/tag/{rev}", "tag_delete")
@in_repo(write=True)
def tag_delete(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    return answer({}) if repo.tags.pop(rev, None) else no_revision(rev)


# reading


@on("GET", "/api/{kind}s/{repo}/tree/{rev}", "tree")
@in_repo()
def tree_root(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    return tree(hub, request, repo, rev, "")


@on("GET", "/api/{kind}s/{repo}/tree/{rev}/{path}", "tree")
@in_repo()
def tree_below(hub: Hub, request: Request, repo: Repo, rev: str, path: str) -> Reply:
    return tree(hub, request, repo, rev, path.rstrip("/") + "/")


def tree(hub: Hub, request: Request, repo: Repo, rev: str, folder: str) -> Reply:
    commit = repo.resolve(rev)
    if commit is None:
        return no_revision(rev)
    below = {path: file for path, file in commit.files.items() if path.startswith(folder)}
    if folder and not below:
        return refusal(404, f"{folder} does not exist on {rev}", "EntryNotFound")
    deep = request.query.get("recursive", ["false"])[0].lower() in ("true", "1")
    names = entries_below(below, folder, deep)
    start = int(request.query.get("cursor", ["0"])[0])
    page = [entry_of(hub, commit, name) for name in names[start : start + hub.page]]
    more = {} if start + hub.page >= len(names) else {"Link": next_link(hub, request, start + hub.page)}
    return answer(page, **more)


def entries_below(files: dict[str, File], folder: str, deep: bool) -> list[str]:
    """Names of files, and of folders with a "/" behind, directly below a folder or (deep) anywhere below."""
    names: set[str] = set()
    for path in files:
        pieces = path[len(folder) :].split("/")
        parents = ["/".join(pieces[:n]) + "/" for n in range(1, len(pieces))]
        names.update(folder + name for name in (parents if deep else parents[:1]))
        names.update([path] if deep or len(pieces) == 1 else [])
    return sorted(names)


def next_link(hub: Hub, request: Request, cursor: int) -> str:
    query = "&".join(f"{name}={text[0]}" for name, text in request.query.items() if name != "cursor")
    return f'<{hub.url}{request.path}?{query}&cursor={cursor}>; rel="next"'


def entry_of(hub: Hub, commit: Commit, name: str) -> dict[str, Any]:
    last = {"lastCommit": {"id": commit.oid, "title": commit.title, "date": stamp(commit.when)}}
    if name.endswith("/"):
        return {"type": "directory", "oid": "0" * 40, "size": 0, "path": name[:-1], **last}
    file = commit.files[name]
    entry = {"type": "file", "oid": file.oid, "size": file.size, "path": name, **last}
    if file.lfs:
        pointer = len(lfs_pointer(file.sha256, file.size))
        entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": pointer}
    xet_hash = hub.blobs.xet_hashes.get(file.sha256)
    return entry | ({"xetHash": xet_hash} if xet_hash else {})


@on("POST", "/api/{kind}s/{repo}/paths-info/{rev}", "paths_info")
@in_repo()
def paths_info(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    commit = repo.resolve(rev)
    if commit is None:
        return no_revision(rev)
    known = {name.rstrip("/"): name for name in entries_below(dict(commit.files), "", True)}
    wanted = (path.strip("/") for path in request.form.get("paths", []))
    return answer([entry_of(hub, commit, known[path]) for path in wanted if path in known])


@on("GET", "/{at}{repo}/resolve/{rev}/{path}", "resolve")
def resolve(hub: Hub, request: Request, at: str, repo: str, rev: str, path: str) -> Reply:
    kind = {"datasets/": "dataset", "spaces/": "space"}.get(at, "model")
    found = hub.repos.get((kind, repo))
    if found is None or not hub.may_read(request, found):
        return not_found(request)
    if not hub.may_open(request, found):
        return gate(request)
    commit = found.resolve(rev)
    if commit is None:
        return no_revision(rev)
    if path not in commit.files:
        return refusal(404, "Entry not found", "EntryNotFound", X_Repo_Commit=commit.oid)
    return content_of(hub, request, found, commit, commit.files[path])


def gate(request: Request) -> Reply:
    message = "Access to this dataset is restricted and you are not in the authorized list."
    return refusal(403 if request.token else 401, message, "GatedRepo")


def content_of(hub: Hub, request: Request, repo: Repo, commit: Commit, file: File) -> Reply:
    headers = {
        "Content-Type": "application/octet-stream" if file.lfs else "text/plain; charset=utf-8",
        "ETag": f'"{file.sha256 if file.lfs else file.oid}"',
        "X-Repo-Commit": commit.oid,
        "Accept-Ranges": "bytes",
    }
    if file.lfs:
        headers |= {"X-Linked-Size": str(file.size), "X-Linked-ETag": f'"{file.sha256}"'}
    if xet_hash := hub.blobs.xet_hashes.get(file.sha256):
        auth = f"{hub.url}/api/{repo.kind}s/{repo.name}/xet-read-token/{commit.oid}"
        headers |= {"X-Xet-Hash": xet_hash, "Link": f'<{auth}>; rel="xet-auth"'}
    start, stop = wanted_range(request.headers.get("Range"), file.size)
    if start >= stop and file.size:
        return Reply(416, b"", {"Content-Range": f"bytes */{file.size}"})
    partial = request.headers.get("Range") is not None
    if partial:
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{file.size}"
    return Reply(
        206 if partial else 200,
        headers=headers,
        file=hub.blobs.path(file.sha256),
        start=start,
        length=stop - start,
    )


def wanted_range(header: str | None, size: int) -> tuple[int, int]:
    """Start and end (excluded) of `bytes=a-b`, `bytes=a-` or `bytes=-n`; the whole file without a header."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "bytes=0-")
    first, last = found.groups() if found else ("0", "")
    if first == "":
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


# writing


@on("POST", "/api/validate-yaml", "validate_yaml")
def validate_yaml(hub: Hub, request: Request) -> Reply:
    errors = card_errors(request.json["content"], request.json["repoType"])
    return answer({"errors": [{"message": m} for m in errors], "warnings": []}, 400 if errors else 200)


def card_errors(content: str, kind: str) -> list[str]:
    """What the Hub refuses in a card's front matter: no mapping, fields of a wrong type, a Space without its SDK."""
    try:
        card = front_matter(content)
    except yaml.YAMLError as error:
        return [f"YAML: {error}"]
    if not isinstance(card, dict):
        return ["the front matter is no mapping"]
    errors = [
        f'"{name}" must be a list' for name in ("tags", "configs") if not isinstance(card.get(name, []), list)
    ]
    if errors:
        return errors
    if kind == "dataset":
        return [
            '"configs" entries need "config_name"'
            for c in card.get("configs") or []
            if "config_name" not in c
        ]
    if kind != "space":
        return errors
    colours = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
    errors += [
        f'"{name}" must be one of {sorted(colours)}'
        for name in ("colorFrom", "colorTo")
        if card[name] not in colours
    ]
    errors += (
        []
        if card.get("sdk") in ("gradio", "docker", "static")
        else ['"sdk" must be gradio, docker or static']
    )
    return errors + ['"short_description" is over 60 characters'] * (
        len(card.get("short_description", "")) > 60
    )


def told_card(content: str) -> Any:
    """What the Hub tells of a card's fields: nothing of one that is large, can't be read, or would be endless as JSON."""
    if len(content) > 20_000 or re.search(r"[:\[,] *\*\w", content):
        return {}
    try:
        found = front_matter(content)
        json.dumps(found)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return {}
    return found


def front_matter(content: str) -> Any:
    """The YAML between the first two lines of three dashes; {} when there is none."""
    found = re.match(r"\s*---\r?\n(.*?)\r?\n---\s*(\r?\n|$)", content, re.DOTALL)
    return (yaml.safe_load(found[1]) or {}) if found else {}


@on("POST", "/api/{kind}s/{repo}/preupload/{rev}", "preupload")
@in_repo(write=True)
def preupload(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    commit = repo.resolve(rev)
    if commit is None:
        return no_revision(rev)
    return answer({"files": [upload_mode(commit, wanted) for wanted in request.json["files"]]})


def upload_mode(commit: Commit, wanted: dict[str, Any]) -> dict[str, Any]:
    from tests.hub import is_large

    sample, old = base64.b64decode(wanted["sample"]), commit.files.get(wanted["path"])
    large = is_large(wanted["path"], sample) or wanted["size"] > 10_000_000 or b"\0" in sample
    mode = {"path": wanted["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
    return mode | ({"oid": old.sha256 if old.lfs else old.oid} if old else {})


@on("POST", "/{at}{repo}.git/info/lfs/objects/batch", "lfs_batch")
def lfs_batch(hub: Hub, request: Request, at: str, repo: str) -> Reply:
    kind = {"datasets/": "dataset", "spaces/": "space"}.get(at, "model")
    return objects(hub, request, kind=kind, repo=repo)


@in_repo(write=True)
def objects(hub: Hub, request: Request, repo: Repo) -> Reply:
    def plan(wanted: dict[str, Any]) -> dict[str, Any]:
        actions = {
            "upload": {"href": f"{hub.url}/lfs/{wanted['oid']}"},
            "verify": {"href": f"{hub.url}/lfs-verify"},
        }
        stored = hub.blobs.lfs_file(wanted["oid"], wanted["size"]) is not None
        return wanted if stored else wanted | {"actions": actions}

    return answer({"transfer": "basic", "objects": [plan(wanted) for wanted in request.json["objects"]]})


@on("PUT", "/lfs/{name}", "lfs_put")
def lfs_put(hub: Hub, request: Request, name: str) -> Reply:
    """The upload itself carries no token: its address is the permission."""
    stored = hub.blobs.put(request.body)
    return Reply(200) if stored == name else refusal(400, f"content is {stored}, not {name}")


@on("POST", "/lfs-verify", "lfs_verify")
def lfs_verify(hub: Hub, request: Request) -> Reply:
    stored = hub.blobs.lfs_file(request.json["oid"], request.json["size"])
    return answer({}) if stored else refusal(404, "Object not found", "EntryNotFound")


@on("GET", "/api/{kind}s/{repo}/xet-write-token/{rev}", "xet_write_token")
@in_repo(write=True)
def xet_write_token(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    return xet_token(hub)


@on("GET", "/api/{kind}s/{repo}/xet-read-token/{rev}", "xet_read_token")
@in_repo()
def xet_read_token(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    return xet_token(hub) if hub.may_open(request, repo) else gate(request)


def xet_token(hub: Hub) -> Reply:
    """A content store in a folder: the client's own Xet code writes and reads it, no server needed."""
    url, token, ends = f"local://{hub.blobs.cas}", "xet", int(time.time()) + 3600
    headers = {"X_Xet_Cas_Url": url, "X_Xet_Access_Token": token, "X_Xet_Token_Expiration": str(ends)}
    return answer({"casUrl": url, "accessToken": token, "exp": ends}, **headers)


@on("POST", "/api/{kind}s/{repo}/commit/{rev}", "commit")
@in_repo(write=True)
def commit(hub: Hub, request: Request, repo: Repo, rev: str) -> Reply:
    lines = [json.loads(line) for line in request.body.splitlines() if line]
    header, head = lines[0]["value"], repo.resolve(rev)
    if head is None:
        return no_revision(rev)
    opens_pr = request.query.get("create_pr") == ["1"]
    parent = header.get("parentCommit", head.oid)
    if opens_pr and repo.resolve(parent) is None:
        return no_revision(parent)
    if not opens_pr and not head.oid.startswith(parent):
        return refusal(412, "A commit has happened since. Please refresh and try again.")
    base = repo.resolve(parent) if opens_pr else head
    changed = apply_lines(hub, base or head, lines[1:])
    if isinstance(changed, Reply):
        return changed
    number = 1 + sum(name.startswith("refs/pr/") for name in repo.branches)
    target = f"refs/pr/{number}" if opens_pr else rev
    user = hub.user(request)
    made = repo.add(target, base, changed, header["summary"], user.name if user else "")
    address = f"{hub.url}/{prefix(repo.kind)}{repo.name}"
    pull = {"pullRequestUrl": f"{address}/discussions/{number}"} if opens_pr else {}
    return answer(
        {"success": True, "commitOid": made.oid, "commitUrl": f"{address}/commit/{made.oid}", **pull}
    )


def apply_lines(hub: Hub, base: Commit, lines: list[dict[str, Any]]) -> dict[str, File] | Reply:
    """The files after the commit's operations; a reply when one of them can't be done (then none is)."""
    added: dict[str, File] = {}
    deleted: list[str] = []
    for line in lines:
        value, path = line["value"], line["value"]["path"]
        if line["key"] == "file":
            added[path] = hub.blobs.file(base64.b64decode(value["content"]), False)
        elif line["key"] == "lfsFile":
            stored = hub.blobs.lfs_file(value["oid"], value["size"])
            if stored is None:
                return refusal(400, f"LFS pointer pointed to a file that does not exist: {path}")
            added[path] = stored
        elif line["key"] in ("deletedFile", "deletedFolder"):
            wanted = path.rstrip("/") + "/" if line["key"] == "deletedFolder" else path
            if not any(p == wanted or (wanted[-1] == "/" and p.startswith(wanted)) for p in base.files):
                return refusal(404, "A file with this name doesn't exist", "EntryNotFound")
            deleted.append(wanted)
        else:
            return refusal(400, f"unknown operation {line['key']}")
    return with_changes(base.files, added, deleted)


# Spaces, buckets, jobs


@on("GET", "/api/spaces/{space}/{name}/runtime", "space_runtime")
def space_runtime(hub: Hub, request: Request, space: str, name: str) -> Reply:
    return of_space(hub, request, kind="space", repo=f"{space}/{name}")


@in_repo()
def of_space(hub: Hub, request: Request, repo: Repo) -> Reply:
    return answer({"stage": "BUILDING", "hardware": {"requested": "cpu-basic"}, "volumes": repo.volumes})


@on("POST", "/api/{kind}s/{repo}/variables", "space_variable")
@in_repo(write=True)
def space_variable(hub: Hub, request: Request, repo: Repo) -> Reply:
    repo.variables[request.json["key"]] = request.json["value"]
    return answer({key: {"key": key, "value": value} for key, value in repo.variables.items()})


@on("GET", "/api/{kind}s/{repo}/variables", "space_variables")
@in_repo()
def space_variables(hub: Hub, request: Request, repo: Repo) -> Reply:
    return answer({key: {"key": key, "value": value} for key, value in repo.variables.items()})


@on("POST", "/api/buckets/{space}/{name}", "bucket_create")
def bucket_create(hub: Hub, request: Request, space: str, name: str) -> Reply:
    if not in_namespace(hub, request, space):
        return refusal(403, "You don't have the rights to create a bucket here")
    address = {"url": f"{hub.url}/buckets/{space}/{name}"}
    if f"{space}/{name}" in hub.buckets:
        return answer(address, 409)
    hub.buckets[f"{space}/{name}"] = {}
    return answer(address)


@on("GET", "/api/buckets/{space}/{name}/xet-write-token", "bucket_token")
def bucket_token(hub: Hub, request: Request, space: str, name: str) -> Reply:
    return xet_token(hub) if in_namespace(hub, request, space) else not_found(request)


@on("POST", "/api/buckets/{space}/{name}/batch", "bucket_batch")
def bucket_batch(hub: Hub, request: Request, space: str, name: str) -> Reply:
    bucket = hub.buckets.get(f"{space}/{name}")
    if bucket is None or not in_namespace(hub, request, space):
        return not_found(request)
    known = set(xet_hashes(hub.blobs.cas).values())
    for line in map(json.loads, request.body.splitlines()):
        if line["type"] == "deleteFile":
            bucket.pop(line["path"], None)
        elif line["type"] == "addFile":
            bucket[line["path"]] = line["xetHash"]
    return answer({"success": True, "processed": len(known), "failed": []})


def in_namespace(hub: Hub, request: Request, namespace: str) -> bool:
    user = hub.user(request)
    return user is not None and namespace in (user.name, *user.orgs)


@on("GET", "/api/jobs/hardware", "job_hardware")
def job_hardware(hub: Hub, request: Request) -> Reply:
    def machine(
        name: str, cpu: str, ram: str, micro: int, accelerator: dict[str, str] | None
    ) -> dict[str, Any]:
        cost = {"unitCostMicroUSD": micro, "unitCostUSD": micro / 1e6, "unitLabel": "minute"}
        shown = {"name": name, "prettyName": name, "cpu": cpu, "ram": ram, "ephemeralStorage": "50 GB"}
        return {**shown, "accelerator": accelerator, **cost}

    gpu = {"type": "gpu", "model": "T4", "quantity": "1", "vram": "16 GB", "manufacturer": "Nvidia"}
    return answer(
        [
            machine("cpu-upgrade", "8 vCPU", "32 GB", 500, None),
            machine("cpu-basic", "2 vCPU", "16 GB", 167, None),
            machine("t4-small", "4 vCPU", "15 GB", 6667, gpu),
        ]
    )


@on("POST", "/api/jobs/{space}", "job_run")
def job_run(hub: Hub, request: Request, space: str) -> Reply:
    if not in_namespace(hub, request, space):
        return refusal(403, "You don't have the rights to run jobs here")
    if not hub.tokens[request.token or ""].jobs:
        return refusal(403, "This token lacks the jobs scope")
    wanted = request.json
    job = {key: wanted[key] for key in ("command", "arguments", "environment", "flavor", "dockerImage")}
    shown = {"secrets": dict.fromkeys(wanted.get("secrets", {}), ""), "labels": wanted.get("labels")}
    job_id = secrets.token_hex(12)
    owner = {"id": space, "name": space, "type": "user"}
    more = {"id": job_id, "createdAt": stamp(datetime.now(UTC)), "owner": owner, "initiator": owner}
    hub.jobs[job_id] = job | shown | more | {"volumes": wanted.get("volumes"), "status": {"stage": "RUNNING"}}
    return answer(hub.jobs[job_id])


@on("GET", "/api/jobs/{space}/{name}", "job_info")
def job_info(hub: Hub, request: Request, space: str, name: str) -> Reply:
    job = hub.jobs.get(name)
    return answer(job) if job and in_namespace(hub, request, space) else refusal(404, "Job not found")


@on("POST", "/api/jobs/{space}/{name}/cancel", "job_cancel")
def job_cancel(hub: Hub, request: Request, space: str, name: str) -> Reply:
    hub.jobs[name]["status"] = {"stage": "CANCELED"}
    return answer(hub.jobs[name])


@on("GET", "/api/jobs/{space}/{name}/logs", "job_logs")
def job_logs(hub: Hub, request: Request, space: str, name: str) -> Reply:
    def stream() -> Iterator[bytes]:
        for line in hub.job_logs:
            event = {"timestamp": stamp(datetime.now(UTC)), "data": line}
            yield f"data: {json.dumps(event)}\n\n".encode()
        hub.jobs[name]["status"] = hub.job_end

    if name not in hub.jobs or not in_namespace(hub, request, space):
        return refusal(404, "Job not found")
    return Reply(headers={"Content-Type": "text/event-stream"}, stream=stream)


def prefix(kind: str) -> str:
    """How a kind of repository begins its address: models have no prefix."""
    return "" if kind == "model" else f"{kind}s/"


def stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
