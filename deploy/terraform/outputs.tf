output "buckets" {
  value = { for key, bucket in aws_s3_bucket.this : key => bucket.id }
}

output "queues" {
  description = "URLs, for the sinks' and services' `queue`."
  value       = { for key, queue in aws_sqs_queue.this : key => queue.url }
}

output "dead_letter_queues" {
  value = { for key, queue in aws_sqs_queue.dead_letters : key => queue.url }
}

output "delivery_streams" {
  value = { for key, stream in aws_kinesis_firehose_delivery_stream.rows : key => stream.name }
}

output "record_stream" {
  value = aws_kinesis_stream.records.name
}

output "tables" {
  value = { for key, table in aws_dynamodb_table.this : key => table.name }
}

output "athena" {
  value = {
    workgroup = aws_athena_workgroup.this.name
    database  = aws_glue_catalog_database.this.name
    queries   = { for key, query in aws_athena_named_query.this : key => query.id }
  }
}

output "roles" {
  value = { for key, role in aws_iam_role.service : key => role.arn }
}

output "task_definitions" {
  value = { for key, definition in aws_ecs_task_definition.this : key => definition.arn }
}
