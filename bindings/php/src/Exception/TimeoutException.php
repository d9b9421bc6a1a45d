<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The call took longer than the client's timeout. */
final class TimeoutException extends TransportException
{
}
