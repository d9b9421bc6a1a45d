<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The webhook is invalid: answer 400. */
final class WebhookException extends ToriiException
{
}
