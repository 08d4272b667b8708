locals {
  # Frames wait for infer in the one, results for react in the other.
  queues = {
    frames     = "raw-frame-queue"
    detections = "detection-queue"
  }
}

resource "aws_sqs_queue" "this" {
  for_each                   = local.queues
  name                       = each.value
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = 345600
  max_message_size           = 1048576
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null
  kms_master_key_id          = var.kms_key_arn

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters[each.key].arn
    maxReceiveCount     = var.max_receive_count
  })
}

# A message keeps its age when it moves here, so it must stay longer than in the queue that it comes from: 14 days, the most.
resource "aws_sqs_queue" "dead_letters" {
  for_each                  = local.queues
  name                      = "${each.value}-dlq"
  message_retention_seconds = 1209600
  max_message_size          = 1048576
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
}

# Who may send to a dead-letter queue by redrive. Emulators do not know this attribute, and the provider waits for it.
resource "aws_sqs_queue_redrive_allow_policy" "this" {
  for_each  = local.is_emulated ? {} : local.queues
  queue_url = aws_sqs_queue.dead_letters[each.key].url

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.this[each.key].arn]
  })
}
