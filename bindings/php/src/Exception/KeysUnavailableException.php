<?php

declare(strict_types=1);

namespace Torii\Exception;

/** The issuer's keys cannot be had, so nothing can be said about the token: answer 503. */
final class KeysUnavailableException extends ToriiException
{
}
