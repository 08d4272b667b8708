variable "region" {
  type    = string
  default = "us-east-1"
}

variable "endpoints" {
  description = "URLs of LocalStack or moto in place of AWS, by service; `default` stands for those that are not named."
  type        = map(string)
  default     = {}
}

variable "tags" {
  type    = map(string)
  default = {}
}

variable "bucket_suffix" {
  description = "Put behind the name of each bucket, for example \"-123456789012\": names of buckets are shared by all accounts of AWS."
  type        = string
  default     = ""
}

variable "kms_key_arn" {
  description = "Key for buckets, queues, streams and tables. Default: the keys of AWS for each service."
  type        = string
  default     = null
}

variable "raw_retention_days" {
  description = "Days that recordings and the pictures of events stay in raw-data."
  type        = number
  default     = 30
}

variable "claim_retention_days" {
  description = "Days that pictures of queued frames stay. Longer than the dead letters that name them."
  type        = number
  default     = 15

  validation {
    condition     = var.claim_retention_days > 14
    error_message = "Dead letters stay for 14 days; their pictures must stay longer."
  }
}

variable "table_retention_days" {
  description = "Days that rows of detections, frames and segments stay. null: for ever."
  type        = number
  default     = null
}

variable "versioned_buckets" {
  description = "Keeps what was overwritten or deleted for a week. Objects are written once (If-None-Match), so this guards against people."
  type        = bool
  default     = false
}

variable "deletion_protection" {
  description = "Tables cannot be deleted, nor buckets that hold anything."
  type        = bool
  default     = true
}

variable "visibility_timeout_seconds" {
  description = "How long a message is hidden after it was received; workers extend it while they work."
  type        = number
  default     = 60
}

variable "max_receive_count" {
  description = "A message that was received so often without being deleted becomes a dead letter. Well above `limits.maxReceives` of infer (5): frames for which there was no room count, too."
  type        = number
  default     = 20
}

variable "hash_buckets" {
  description = "0: the tables are partitioned by hour. More: also by a hash of the camera (docs/deploy.md), for thousands of cameras. Rows that are there are not found any more after a change."
  type        = number
  default     = 0

  validation {
    condition     = var.hash_buckets >= 0 && var.hash_buckets <= 64
    error_message = "A delivery stream has 500 open partitions: 64 buckets leave room for 7 hours at once."
  }
}

variable "first_hour" {
  description = "Start of the partitions that Athena looks for, yyyy/MM/dd/HH. Rows before it are not found."
  type        = string
  default     = "2026/01/01/00"
}

variable "buffer_seconds" {
  description = "How long Firehose gathers rows for a Parquet file, 60 to 900."
  type        = number
  default     = 300
}

variable "query_limit_bytes" {
  description = "A query that would read more is ended."
  type        = number
  default     = 107374182400
}

variable "alarms" {
  description = "Alarms of CloudWatch, and the scaling of infer, which goes by them. Default: on AWS, and not in an emulator."
  type        = bool
  default     = null
}

variable "alarm_actions" {
  description = "ARNs of SNS topics that the alarms tell."
  type        = list(string)
  default     = []
}

variable "image" {
  description = "Image of Sightline with its tag or digest. null: no cluster, task definitions or services."
  type        = string
  default     = null
}

variable "images" {
  description = "Image of a service in place of `image`, by its name: one of Dockerfile.deepstream for control."
  type        = map(string)
  default     = {}
}

variable "gpus" {
  description = "GPUs of a service's task, by its name. ECS gives whole ones alone."
  type        = map(number)
  default     = {}
}

variable "infer_tasks" {
  description = "Fewest and most infer tasks; in between the frames that wait decide."
  type        = object({ min = number, max = number })
  default     = { min = 1, max = 4 }
}

variable "subnet_ids" {
  description = "Subnets of the tasks. Without any there are task definitions but no services."
  type        = list(string)
  default     = []
}

variable "security_group_ids" {
  type    = list(string)
  default = []
}

variable "oidc_provider" {
  description = "Lets service accounts of a Kubernetes namespace take the roles: the cluster's OIDC provider, its URL without https://."
  type        = object({ arn = string, url = string, namespace = string })
  default     = null
}

variable "receive_tasks" {
  description = "Receivers, each on an instance of its own."
  type        = number
  default     = 1
}

variable "infer_backlog_per_task" {
  description = "Frames that may wait for each infer task before there is one more."
  type        = number
  default     = 200
}

variable "capacity_providers" {
  description = "Capacity provider of a service, by its name: instances with GPUs for control. Default: any EC2 instance of the cluster."
  type        = map(string)
  default     = {}
}

variable "configs" {
  description = "Configuration of a service as YAML, by its name (receive, infer, react, control). Holds no secrets: $${NAME} is filled in from `secrets`."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "ARNs of Secrets Manager that become variables of the environment, by service and name."
  type        = map(map(string))
  default     = {}
}

variable "repository_arns" {
  description = "ECR repositories of the images. Default: those of the account in this region."
  type        = list(string)
  default     = []
}
