"""Celery's settings: values only. docs/explanation/night.md explains each of them."""

from pipeline.settings import Settings
from tasks.limits import longest
from tasks.routing import RAW_QUEUE, WORK_QUEUES

_settings = Settings.from_env()

broker_url = _settings.broker_url
broker_transport_options = {"confirm_publish": True}
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
broker_channel_error_retry = True
broker_connection_timeout = 4.0
broker_heartbeat = 10
broker_pool_acquire_timeout = 30.0

task_queues = [*WORK_QUEUES, RAW_QUEUE]
task_default_queue = "housekeeping"
task_create_missing_queues = False

task_publish_retry_policy = {"max_retries": 2, "interval_start": 0, "interval_step": 1, "interval_max": 2}

task_serializer = "json"
accept_content = ["json"]
task_ignore_result = True
result_backend = None

task_acks_late = True
task_reject_on_worker_lost = True
task_acks_on_failure = False
task_acks_on_timeout = False
task_time_limit = longest(_settings)  # steps have their own: tasks.limits
task_track_started = True

control_queue_exclusive = False
control_queue_durable = True

worker_enable_remote_control = _settings.remote_control != "off"
worker_consumer = "tasks.raw:RawConsumer"
worker_concurrency = _settings.process_count
worker_prefetch_multiplier = 1
worker_detect_quorum_queues = True
worker_proc_alive_timeout = 60.0  # of 4 s by default, in which a busy machine starts no process
worker_pool_start_method = "spawn"
worker_max_memory_per_child = _settings.memory_limit * 1024 * 4 // 5 or None  # KiB at its peak: then replaced
worker_soft_shutdown_timeout = 20.0
worker_send_task_events = True
worker_hijack_root_logger = True
worker_cancel_long_running_tasks_on_connection_loss = False

timezone = "UTC"
beat_scheduler = "tasks.beat:Scheduler"
beat_enable_remote_control = worker_enable_remote_control
beat_remote_control_max_tick_age = 120.0
beat_schedule = {
    "tick": {"task": "nightshift.tick", "schedule": 30.0, "options": {"queue": "housekeeping"}},
    "report": {"task": "nightshift.report", "schedule": 60.0, "options": {"queue": "housekeeping"}},
}
