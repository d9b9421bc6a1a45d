<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The token is valid but does not meet a requirement: answer 403. */
final class PolicyException extends ToriiException
{
}
