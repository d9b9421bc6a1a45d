<?php

declare(strict_types=1);

namespace Torii\Exception;

/** An option or a combination of options is invalid; the message names it. */
final class InvalidConfigException extends InvalidArgumentException
{
}
