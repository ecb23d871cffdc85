"""What the course covers: the ids of its inventory (concepts C, examples E, listings K, figures F, the loop's methods L), and
which notebook has which. The texts that the course is made from are the source; an id stands for one row of them."""

SYLLABUS = {
    "00_tour": "C1 F-S3",
    "01_what_is_async": "C1 C5 C6 C24 C29 E1 E2 E8",
    "02_io_cpu_bound": "C2 C23 E3",
    "03_concurrency_parallelism": "C3 C4 C28",
    "04_processes_threads": "C7 C8 K2 K3 K4",
    "05_no_gil": "C9 C10 K5 K6 K7 K8",
    "06_sockets": "C25 C26 F1.7 F1.8",
    "07_event_loop": "C11 C27 K9 E4 F1.9 F1.10",
    "08_coroutines_await": "C12 C13 C14 C15 C16 E5 E6 E7",
    "09_loop_api": "L1 L2 L3 L4 L5 L6 L7 L8 L9 L10 L11 L12 L13 L14 C17",
    "10_scale_priority_period": "C13 C18 C19 C20 C22 C24",
    "11_choosing": "C21",
    "12_cheatsheet": "C30",
}
INVENTORY = {
    *(f"C{n}" for n in range(1, 31)),
    *(f"E{n}" for n in range(1, 9)),
    *(f"K{n}" for n in range(2, 10)),
    *(f"F1.{n}" for n in range(7, 11)),
    "F-S3",
    *(f"L{n}" for n in range(1, 15)),
}


def wanted(name):
    """The ids that a notebook of this name has to mirror."""
    return set(SYLLABUS[name].split())


def in_order(ids):
    """Ids as people list them."""
    return sorted(ids, key=lambda one: (one[0], [int(part) if part.isdigit() else 0 for part in one[1:].split(".")], one))
