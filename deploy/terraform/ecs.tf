# The tasks run on EC2 instances: an outbox must survive its task, and Fargate has neither a disk that stays nor GPUs.

locals {
  has_ecs = var.image != null
  tasks = { for name, task in {
    receive = { count = var.receive_tasks, cpu = 2048, memory = 4096 }
    infer   = { count = var.infer_tasks.min, cpu = 2048, memory = 8192 }
    react   = { count = 1, cpu = 1024, memory = 2048 }
    control = { count = 1, cpu = 1024, memory = 2048 }
  } : name => task if local.has_ecs }

  definitions = { for name, task in local.tasks : name => jsondecode(templatefile("${path.module}/../ecs/task.json", {
    SERVICE            = name
    COMMAND            = name == "control" ? "serve" : name
    IMAGE              = lookup(var.images, name, var.image)
    CPU                = task.cpu
    MEMORY             = task.memory
    RESOURCES          = jsonencode([for count in compact([lookup(var.gpus, name, null)]) : { type = "GPU", value = count }])
    CONFIG             = jsonencode(lookup(var.configs, name, ""))
    SECRETS            = jsonencode([for key, arn in lookup(var.secrets, name, {}) : { name = key, valueFrom = arn }])
    REGION             = var.region
    LOG_GROUP          = "/sightline"
    TASK_ROLE_ARN      = aws_iam_role.service[name].arn
    EXECUTION_ROLE_ARN = aws_iam_role.execution[0].arn
  })) }
}

resource "aws_cloudwatch_log_group" "services" {
  count             = local.has_ecs ? 1 : 0
  name              = "/sightline"
  retention_in_days = 30
}

resource "aws_ecs_cluster" "this" {
  count = local.has_ecs ? 1 : 0
  name  = "sightline"

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "this" {
  for_each                 = local.definitions
  family                   = each.value.family
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  network_mode             = each.value.networkMode
  requires_compatibilities = each.value.requiresCompatibilities
  task_role_arn            = each.value.taskRoleArn
  execution_role_arn       = each.value.executionRoleArn
  container_definitions    = jsonencode(each.value.containerDefinitions)

  dynamic "volume" {
    for_each = each.value.volumes

    content {
      name = volume.value.name

      docker_volume_configuration {
        scope         = volume.value.dockerVolumeConfiguration.scope
        autoprovision = lookup(volume.value.dockerVolumeConfiguration, "autoprovision", null)
        driver        = volume.value.dockerVolumeConfiguration.driver
      }
    }
  }
}

resource "aws_ecs_service" "this" {
  for_each        = length(var.subnet_ids) == 0 ? {} : local.tasks
  name            = each.key
  cluster         = aws_ecs_cluster.this[0].id
  task_definition = aws_ecs_task_definition.this[each.key].arn
  desired_count   = each.value.count
  launch_type     = lookup(var.capacity_providers, each.key, null) == null ? "EC2" : null
  propagate_tags  = "SERVICE"

  # An old task lets go of its data folder before the new one takes it.
  deployment_minimum_healthy_percent = each.key == "infer" ? 50 : 0
  deployment_maximum_percent         = 100

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "capacity_provider_strategy" {
    for_each = compact([lookup(var.capacity_providers, each.key, null)])

    content {
      capacity_provider = capacity_provider_strategy.value
      weight            = 1
    }
  }

  # Two tasks of an instance would share a data folder, and the second would find it locked.
  placement_constraints {
    type = "distinctInstance"
  }

  network_configuration {
    subnets         = var.subnet_ids
    security_groups = var.security_group_ids
  }

  lifecycle {
    ignore_changes = [desired_count]
  }
}

resource "aws_appautoscaling_target" "infer" {
  count              = local.has_alarms && contains(keys(aws_ecs_service.this), "infer") ? 1 : 0
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this[0].name}/${aws_ecs_service.this["infer"].name}"
  min_capacity       = var.infer_tasks.min
  max_capacity       = var.infer_tasks.max
}

resource "aws_appautoscaling_policy" "infer" {
  count              = length(aws_appautoscaling_target.infer)
  name               = "backlog-per-task"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.infer[0].service_namespace
  scalable_dimension = aws_appautoscaling_target.infer[0].scalable_dimension
  resource_id        = aws_appautoscaling_target.infer[0].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = var.infer_backlog_per_task
    scale_in_cooldown  = 300
    scale_out_cooldown = 60

    customized_metric_specification {
      metrics {
        id          = "backlog"
        label       = "Frames that wait for each task"
        expression  = "waiting / FILL(running, 1)"
        return_data = true
      }

      metrics {
        id          = "waiting"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "AWS/SQS"
            metric_name = "ApproximateNumberOfMessagesVisible"

            dimensions {
              name  = "QueueName"
              value = aws_sqs_queue.this["frames"].name
            }
          }
        }
      }

      metrics {
        id          = "running"
        return_data = false

        metric_stat {
          stat = "Average"

          metric {
            namespace   = "ECS/ContainerInsights"
            metric_name = "RunningTaskCount"

            dimensions {
              name  = "ClusterName"
              value = aws_ecs_cluster.this[0].name
            }

            dimensions {
              name  = "ServiceName"
              value = aws_ecs_service.this["infer"].name
            }
          }
        }
      }
    }
  }
}

# Starts the containers: pulls the image, writes the log, reads the secrets.
resource "aws_iam_role" "execution" {
  count = local.has_ecs ? 1 : 0
  name  = "sightline-execution"

  assume_role_policy = data.aws_iam_policy_document.execution_trust.json
}

data "aws_iam_policy_document" "execution_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "execution" {
  statement {
    sid       = "Login"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid       = "Image"
    actions   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = length(var.repository_arns) == 0 ? ["arn:aws:ecr:${var.region}:${local.account}:repository/*"] : var.repository_arns
  }

  statement {
    sid       = "Log"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = [for group in aws_cloudwatch_log_group.services : "${group.arn}:*"]
  }

  dynamic "statement" {
    for_each = length(local.secret_arns) == 0 ? [] : [local.secret_arns]

    content {
      sid       = "Secrets"
      actions   = ["secretsmanager:GetSecretValue"]
      resources = statement.value
    }
  }
}

locals {
  secret_arns = distinct(flatten([for secrets in values(var.secrets) : values(secrets)]))
}

resource "aws_iam_role_policy" "execution" {
  count  = local.has_ecs ? 1 : 0
  name   = "sightline-execution"
  role   = aws_iam_role.execution[0].id
  policy = data.aws_iam_policy_document.execution.json
}
