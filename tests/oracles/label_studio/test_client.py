from al_lightning.oracles.label_studio.client import StudioClient
from al_lightning.oracles.label_studio.tasks import NewTask
from tests.oracles.fake_studio import FakeClient

URL = "http://studio.example:8080"


def test_requests_are_small() -> None:
    client = FakeClient()
    studio = StudioClient(client, URL)
    project = studio.make_project("Animals", "<View/>", "")
    heavy = [NewTask(i, "x" * 3_000_000, {}, None) for i in range(5)]
    studio.add_tasks(project, "run", heavy)
    assert client.imported == [2, 2, 1]
    studio.add_tasks(project, "run", [NewTask(9, "x" * 9_000_000, {}, None)])
    assert client.imported == [2, 2, 1, 1]


def test_many_tasks_are_read_in_pages() -> None:
    client = FakeClient()
    studio = StudioClient(client, URL)
    project = studio.make_project("Animals", "<View/>", "")
    studio.add_tasks(project, "run", [NewTask(i, "x", {}, None) for i in range(250)])
    client.requests.clear()
    found = studio.find_tasks(project, "run", range(50, 250))
    assert [task.image for task in found] == list(range(50, 250))
    assert client.requests == ["tasks.list task_only", "tasks.list all", "tasks.list all"]
    assert studio.find_tasks(project, "another", range(50)) == []
