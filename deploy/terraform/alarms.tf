locals {
  # Emulators lack what the provider asks for: alarms by CBOR, tags of scaling targets.
  has_alarms = coalesce(var.alarms, !local.is_emulated)

  alarms = merge(
    { for key, queue in aws_sqs_queue.this : "${queue.name}-age" => {
      description = "The oldest message of ${queue.name} has waited for 10 minutes: who takes from it is away or too slow."
      namespace   = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum"
      dimensions  = { QueueName = queue.name }, threshold = 600, periods = 3
    } },
    { for key, queue in aws_sqs_queue.dead_letters : "${queue.name}-depth" => {
      description = "${queue.name} holds messages that nobody could process."
      namespace   = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum"
      dimensions  = { QueueName = queue.name }, threshold = 0, periods = 1
    } },
    { for key, stream in aws_kinesis_firehose_delivery_stream.rows : "${stream.name}-freshness" => {
      description = "${stream.name} has rows that wait for S3 for longer than it gathers; after 24 hours they are gone."
      namespace   = "AWS/Firehose", metric = "DeliveryToS3.DataFreshness", statistic = "Maximum"
      dimensions  = { DeliveryStreamName = stream.name }, threshold = 2 * var.buffer_seconds + 300, periods = 3
    } },
    { for key, stream in aws_kinesis_firehose_delivery_stream.rows : "${stream.name}-conversion" => {
      description = "Rows of ${stream.name} fit no column and lie under errors/ in ${aws_s3_bucket.this["inference"].id}."
      namespace   = "AWS/Firehose", metric = "FailedConversion.Records", statistic = "Sum"
      dimensions  = { DeliveryStreamName = stream.name }, threshold = 0, periods = 1
    } },
    { for key, stream in aws_kinesis_firehose_delivery_stream.rows : "${stream.name}-partitions" => {
      description = "${stream.name} has more open hours than Firehose keeps; such rows lie under errors/ in ${aws_s3_bucket.this["inference"].id}."
      namespace   = "AWS/Firehose", metric = "PartitionCountExceeded", statistic = "Maximum"
      dimensions  = { DeliveryStreamName = stream.name }, threshold = 0, periods = 1
    } },
    { for key, stream in aws_kinesis_firehose_delivery_stream.rows : "${stream.name}-throttled" => {
      description = "${stream.name} refuses rows: ask for a higher quota. They wait in the outboxes."
      namespace   = "AWS/Firehose", metric = "ThrottledRecords", statistic = "Sum"
      dimensions  = { DeliveryStreamName = stream.name }, threshold = 0, periods = 3
    } },
    { for key, table in aws_dynamodb_table.this : "${table.name}-throttled" => {
      description = "${table.name} refuses writes; leases may be lost."
      namespace   = "AWS/DynamoDB", metric = "WriteThrottleEvents", statistic = "Sum"
      dimensions  = { TableName = table.name }, threshold = 0, periods = 3
    } },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = { for name, alarm in local.alarms : name => alarm if local.has_alarms }
  alarm_name          = each.key
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = 60
  evaluation_periods  = each.value.periods
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  # An idle queue or stream tells nothing.
  treat_missing_data = "notBreaching"
  alarm_actions      = var.alarm_actions
  ok_actions         = var.alarm_actions
}
