<?php

declare(strict_types=1);

// The README's way to take webhooks.
require __DIR__ . '/../bootstrap.php';

preg_match('/^## Webhooks\n\n```php\n(.*?)^```/sm', file_get_contents(__DIR__ . '/../../README.md'), $snippet);
eval($snippet[1]);
