with best as (
    select cohort, trainee_id, module, max(points) as points, count(*) as submissions
    from course.grades
    where cohort like $1
    group by cohort, trainee_id, module
),
enrolled as (
    select count(*) as trainees from course.enrolments where cohort like $1
)
select m.module, m.level, e.trainees, count(b.points) as handed_in,
    count(case when b.points >= m.pass_points then 1 end) as passed,
    round(count(case when b.points >= m.pass_points then 1 end) / cast(nullif(e.trainees, 0) as double), 3) as passed_rate,
    round(avg(b.points), 2) as mean_points, m.of_points, round(avg(b.submissions), 2) as mean_submissions
from course.modules m
cross join enrolled e
left join best b on b.module = m.module
group by m.module, m.level, e.trainees, m.of_points
order by m.module
