<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The token is invalid: answer 401. */
final class TokenException extends ToriiException
{
}
