<?php

declare(strict_types=1);

namespace Torii\Exception;

/** A defect of the library. The process, and every other object, is unharmed. */
final class InternalException extends ToriiException
{
}
