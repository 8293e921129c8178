%%sql --save my_items
-- Your part of the declared lines: whole declarations, six of ten, chosen by your number.
select item.*
from fact_item item cross join trainee
where cast(declaration_id as bigint) % 1000003 * (trainee_no * 7919 % 1299709 + 1)
    % 2147483647 * 16807 % 2147483647 % 100 < 60

%%sql --save my_inspections
-- The findings for your lines. A line that was not inspected has no row here.
select found.*
from fact_inspection found cross join trainee
where cast(declaration_id as bigint) % 1000003 * (trainee_no * 7919 % 1299709 + 1)
    % 2147483647 * 16807 % 2147483647 % 100 < 60
