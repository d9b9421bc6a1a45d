<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The API took longer than the timeout. */
final class TimeoutException extends TransportException
{
}
