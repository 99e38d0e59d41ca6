"""What the engine does with each resource type and property of our template, as tried with MiniStack 1.5.33.

A new type or property in `template.yaml` must be entered here: honoured, after trying it, or not emulated, with the
reason that the command then prints.
"""

from __future__ import annotations

HONOURED: dict[str, frozenset[str]] = {
    "AWS::ApiGatewayV2::Api": frozenset({"Description", "Name", "ProtocolType"}),
    "AWS::ApiGatewayV2::Authorizer": frozenset(
        {"ApiId", "AuthorizerType", "IdentitySource", "JwtConfiguration", "Name"}
    ),
    "AWS::ApiGatewayV2::Integration": frozenset(
        {"ApiId", "IntegrationType", "IntegrationUri", "PayloadFormatVersion", "TimeoutInMillis"}
    ),
    "AWS::ApiGatewayV2::Route": frozenset({"ApiId", "AuthorizationType", "AuthorizerId", "RouteKey", "Target"}),
    "AWS::ApiGatewayV2::Stage": frozenset({"ApiId", "AutoDeploy", "StageName"}),
    "AWS::Cognito::UserPool": frozenset(
        {
            "AccountRecoverySetting",
            "AdminCreateUserConfig",
            "AutoVerifiedAttributes",
            "EnabledMfas",
            "MfaConfiguration",
            "Policies",
            "UserPoolName",
            "UsernameAttributes",
        }
    ),
    "AWS::Cognito::UserPoolClient": frozenset(
        {"EnableTokenRevocation", "ExplicitAuthFlows", "GenerateSecret", "PreventUserExistenceErrors", "UserPoolId"}
    ),
    "AWS::Cognito::UserPoolGroup": frozenset({"Description", "GroupName", "UserPoolId"}),
    "AWS::DynamoDB::Table": frozenset(
        {
            "AttributeDefinitions",
            "BillingMode",
            "GlobalSecondaryIndexes",
            "KeySchema",
            "TimeToLiveSpecification",  # by `enable_time_to_live`
        }
    ),
    "AWS::Events::EventBus": frozenset({"Description", "Name"}),
    "AWS::Events::Rule": frozenset({"Description", "ScheduleExpression", "State", "Targets"}),
    "AWS::IAM::ManagedPolicy": frozenset({"Description", "PolicyDocument"}),
    "AWS::IAM::Role": frozenset({"AssumeRolePolicyDocument", "ManagedPolicyArns", "Policies"}),
    "AWS::KMS::Alias": frozenset({"AliasName", "TargetKeyId"}),
    "AWS::KMS::Key": frozenset({"Description", "EnableKeyRotation", "KeyPolicy"}),
    "AWS::Lambda::EventSourceMapping": frozenset(
        {"BatchSize", "EventSourceArn", "FunctionName", "FunctionResponseTypes", "ScalingConfig"}
    ),
    "AWS::Lambda::Function": frozenset(
        {
            "Architectures",
            "Code",
            "Description",
            "Environment",
            "Handler",
            "Layers",
            "LoggingConfig",
            "MemorySize",
            "Role",
            "Runtime",
            "Tags",
            "Timeout",
        }
    ),
    "AWS::Lambda::LayerVersion": frozenset(
        {"CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LayerName"}
    ),
    "AWS::Lambda::Permission": frozenset({"Action", "FunctionName", "Principal", "SourceArn"}),
    "AWS::Logs::LogGroup": frozenset({"RetentionInDays"}),
    "AWS::S3::Bucket": frozenset(
        {"LifecycleConfiguration", "OwnershipControls", "PublicAccessBlockConfiguration", "VersioningConfiguration"}
    ),
    "AWS::S3::BucketPolicy": frozenset({"Bucket", "PolicyDocument"}),
    "AWS::SecretsManager::Secret": frozenset({"Description", "GenerateSecretString", "KmsKeyId", "Name"}),
    "AWS::SQS::Queue": frozenset(
        {"KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod", "RedrivePolicy", "VisibilityTimeout"}
    ),
    "AWS::SQS::QueuePolicy": frozenset({"PolicyDocument", "Queues"}),
}

NOT_EMULATED: dict[str, str] = {
    "AWS::ApiGatewayV2::Stage.AccessLogSettings": "the API writes no access log",
    "AWS::ApiGatewayV2::Stage.DefaultRouteSettings": "the API throttles nobody",
    "AWS::ApiGatewayV2::Stage.RouteSettings": "the API throttles nobody",
    "AWS::DynamoDB::Table.PointInTimeRecoverySpecification": "there are no backups",
    "AWS::DynamoDB::Table.SSESpecification": "items are not encrypted at rest",
    "AWS::Lambda::Function.TracingConfig": "there is no X-Ray",
    "AWS::S3::Bucket.BucketEncryption": "objects are not encrypted at rest",
}

NOT_EMULATED_RESOURCES: dict[str, str] = {
    "AWS::CloudWatch::Alarm": "the engine measures nothing, so alarms never fire",
    "AWS::Lambda::EventInvokeConfig": "a scheduled run that fails is repeated as the engine likes",
}
