<?php

declare(strict_types=1);

namespace Torii\Exception;

/** Signing keys unavailable; the token could not be verified: answer 503. */
final class KeysUnavailableException extends ToriiException
{
}
