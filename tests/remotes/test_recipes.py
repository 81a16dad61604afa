"""The other commands and warnings of docs/remotes.md are true."""

import shutil
from pathlib import Path

import pytest

from ops.revisions.objects import Objects
from ops.revisions.snapshot import snapshot_of
from tests.project import QUIET, run
from tests.remotes import s3, webdav
from tests.remotes.conftest import Serve
from tests.remotes.forked import Forks
from tests.remotes.recipes import PAGE, blocks, commands, filled, toy_at
from tests.remotes.storages import FLIPPED, LOST, folder_storage
from tests.remotes.toy import CHANGED, MODEL, SAME, content_of, md5, md5_of, outputs_in, outputs_of, with_config

MOVED = "An old version after the address has changed"


@pytest.mark.xdist_group("remotes-s3")
def test_a_job_needs_no_key_where_it_can_show_who_it_is(served: Serve, tmp_path: Path) -> None:
    storage, toy = served("s3")
    (tmp_path / "token").write_text(s3.TOKEN)
    values = {"ACCOUNT": s3.ACCOUNT, "ROLE": s3.ROLE, "FILE": str(tmp_path / "token")}
    exported = dict(words[1].split("=", 1) for words in commands("S3", values, which=(2,)))
    keyless = {name: value for name, value in storage.environment.items() if "KEY" not in name}
    endpoint = {"AWS_ENDPOINT_URL_STS": f"https://{storage.values['HOST']}"}
    clone = toy.clone(tmp_path / "clone")
    toy.dvc("pull", cwd=clone, environment={**keyless, **endpoint, **exported})
    assert outputs_in(clone) == outputs_of("v2")


@pytest.mark.xdist_group("remotes-s3")
def test_a_storage_is_mended_from_a_working_copy(served: Serve) -> None:
    storage, toy = served("s3")
    table = snapshot_of("v2", root=toy.folder).lock["make"].outputs["table"].md5
    asked = filled(blocks("Repair a storage")[0], {"MD5": md5_of(SAME, "v2"), "LIST": table})
    with storage.damaged(md5_of(SAME, "v2"), FLIPPED):
        toy.run("bash", "-c", asked, environment=storage.environment)
        assert storage.objects()[md5_of(SAME, "v2")] == content_of(SAME, "v2")
        assert table in storage.objects()


@pytest.mark.xdist_group("remotes-webdav")
def test_a_password_is_taken_from_the_environment_without_a_terminal(served: Serve, tmp_path: Path) -> None:
    storage, toy = served("webdav")
    clone = toy.clone(tmp_path / "clone")
    toy.dvc("remote", "modify", "storage", "bearer_token_command", "--unset", cwd=clone, environment={})
    for command in commands("WebDAV", storage.values, which=(2,)):
        toy.dvc(*command[1:], cwd=clone, environment={})
    tell = blocks("WebDAV")[3]
    trusted = {"SSL_CERT_FILE": storage.environment["SSL_CERT_FILE"]}
    wrong = {**trusted, "STORAGE_PASSWORD": "wr0ng"}
    refused = toy.run("bash", "-c", tell, cwd=clone, environment=wrong, check=False)
    assert refused.returncode != 0
    assert storage.refusal in refused.stderr
    toy.run("bash", "-c", tell, cwd=clone, environment={**trusted, "STORAGE_PASSWORD": webdav.PASSWORD})
    assert outputs_in(clone) == outputs_of("v2")


@pytest.mark.xdist_group("remotes-ssh")
def test_an_alias_of_the_ssh_configuration_is_enough_and_no_known_host_is_asked(served: Serve, tmp_path: Path) -> None:
    storage, toy = served("ssh")
    host, port = storage.values["HOST"].split(":")
    mine, ssh = Path(storage.environment["HOME"]), tmp_path / "home/.ssh"
    ssh.mkdir(parents=True)
    lines = ["Host shared", f"  HostName {host}", f"  Port {port}", f"  IdentityFile {mine}/mine"]
    (ssh / "config").write_text("\n".join([*lines, f"  User {storage.values['USER']}", ""]))
    stranger = (mine / "other.pub").read_text()
    (ssh / "known_hosts").write_text(f"[{host}]:{port} {stranger}")
    clone = toy.clone(tmp_path / "clone")
    aliased = {"USER@HOST": "shared", "PATH": storage.values["PATH"]}
    for command in commands("SSH", aliased):
        toy.dvc(*command[1:], cwd=clone, environment={})
    toy.dvc("pull", cwd=clone, environment={"HOME": str(ssh.parent)})
    assert outputs_in(clone) == outputs_of("v2")


@pytest.mark.parametrize(
    ("heading", "address"),
    [("Google Cloud Storage", "gs://bucket/outputs"), ("Azure", "azure://container/outputs")],
    ids=["google", "azure"],
)
def test_the_recipes_without_a_server_here_are_read_by_dvc(
    dvc: Forks, tmp_path: Path, heading: str, address: str
) -> None:
    run(["git", "init", "--quiet"], cwd=tmp_path)
    with_config(tmp_path)
    values = {"BUCKET": "bucket", "CONTAINER": "container", "PATH": "outputs", "ACCOUNT": "account"}
    for command in commands(heading, values):
        assert dvc.run(command[1:], cwd=tmp_path, environment=QUIET).returncode == 0
    listed = dvc.run(["remote", "list"], cwd=tmp_path, environment=QUIET)
    assert listed.stdout.split()[:2] == ["storage", address]


def test_a_storage_that_has_moved_gives_back_old_versions(made: Path, dvc: Forks, tmp_path: Path) -> None:
    with folder_storage(tmp_path) as storage:
        toy = toy_at(storage, made, tmp_path / "toy", dvc)
        toy.dvc("push", "--quiet", "--all-tags", environment={})
        old, new = Path(f"/{storage.values['PATH']}"), tmp_path / "moved"
        shutil.move(old, new)
        for command in commands("A folder", {"PATH": str(new).lstrip("/")}):
            toy.dvc(*command[1:], environment={})
        toy.run("bash", "-c", PAGE.partition("```sh\n")[2].partition("```")[0], environment={})
        run(["git", "push", "--quiet", str(toy.origin), "main"], cwd=toy.folder)

        clone = toy.clone(tmp_path / "clone", "v1")
        assert toy.dvc("pull", cwd=clone, environment={}, check=False).returncode != 0
        toy.run("bash", "-c", blocks(MOVED)[0], cwd=clone, environment={})
        assert outputs_in(clone) == outputs_of("v1")

        asked = {"GIT-URL": str(toy.origin), "FILE": CHANGED, "TAG": "v1", "ADDRESS": str(new)}
        toy.run("bash", "-c", filled(blocks(MOVED)[1], asked), cwd=tmp_path, environment={})
        assert (tmp_path / Path(CHANGED).name).read_bytes() == content_of(CHANGED, "v1")

        today = toy.clone(tmp_path / "today")
        assert Objects(today).output(snapshot_of("v1", root=today).lock, MODEL) == content_of(MODEL, "v1")


@pytest.mark.xdist_group("remotes-folder")
def test_dvc_get_hands_out_what_is_damaged_as_the_page_warns(served: Serve, tmp_path: Path) -> None:
    storage, toy = served("folder")
    with storage.damaged(md5_of(SAME, "v2"), FLIPPED):
        toy.dvc("get", str(toy.origin), SAME, "--out", "got", cwd=tmp_path, environment={})
    assert md5((tmp_path / "got").read_bytes()) != md5_of(SAME, "v2")


@pytest.mark.xdist_group("remotes-folder")
def test_a_fetch_alone_says_nothing_of_damage_as_the_page_warns(served: Serve, tmp_path: Path) -> None:
    storage, toy = served("folder")
    clone = toy.clone(tmp_path / "clone")
    with storage.damaged(md5_of(SAME, "v2"), FLIPPED):
        toy.dvc("fetch", cwd=clone, environment={})
    assert not (clone / ".dvc/cache/files/md5" / md5_of(SAME, "v2")[:2] / md5_of(SAME, "v2")[2:]).exists()


@pytest.mark.xdist_group("remotes-folder")
def test_dvc_believes_a_storage_that_has_lost_a_folders_file_as_the_page_warns(served: Serve) -> None:
    storage, toy = served("folder")
    with storage.damaged(md5_of(SAME, "v2"), LOST):
        assert "up to date" in toy.dvc("push", environment={}).stdout
        assert "in sync" in toy.dvc("status", "--cloud", environment={}).stdout
