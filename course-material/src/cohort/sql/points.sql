with best as (
    select cohort, trainee_id, module, max(points) as points, max(of_points) as of_points
    from course.grades
    where cohort like $1
    group by cohort, trainee_id, module
),
placed as (
    select module, least(9, (points * 10) / nullif(of_points, 0)) as tenth from best
)
select module, tenth / cast(10 as double) as from_rate, count(*) as trainees
from placed
where tenth is not null
group by module, tenth
order by module, tenth
