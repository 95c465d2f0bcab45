(() => { 'use strict'; lodemap.toolMany = () => {}; })();
