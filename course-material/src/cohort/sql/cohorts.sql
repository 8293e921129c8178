with best as (
    select cohort, trainee_id, module, max(points) as points
    from course.grades
    where cohort like $1
    group by cohort, trainee_id, module
),
passed as (
    select b.cohort, count(*) as passed
    from best b
    join course.modules m on m.module = b.module
    where b.points >= m.pass_points
    group by b.cohort
),
enrolled as (
    select cohort, count(*) as trainees from course.enrolments where cohort like $1 group by cohort
),
taught as (
    select count(*) as modules from course.modules
)
select e.cohort, e.trainees, coalesce(p.passed, 0) as passed, e.trainees * t.modules as of_all,
    round(coalesce(p.passed, 0) / cast(nullif(e.trainees * t.modules, 0) as double), 3) as passed_rate
from enrolled e
cross join taught t
left join passed p on p.cohort = e.cohort
order by e.cohort
